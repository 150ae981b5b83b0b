define($n 5, $l "a b")
elementclass F { $a | input -> Paint($a) -> output || $a, LABEL $b, ... $r | input -> Print("$b ${c-$r}") -> output || ... }
elementclass G F
Idle -> F(1) -> f :: G($n, LABEL x, y, z) -> { -> Null -> } -> Discard;
elementclass Null { input -> Counter -> output }
t :: { input => [0-1] c :: Tee; input [1] -> d :: Discard; c [0] -> output; c [1] => (-> Counter ->) => [1] output };
Idle, Idle => t [0,] => Null, Null -> Discard, Discard;
