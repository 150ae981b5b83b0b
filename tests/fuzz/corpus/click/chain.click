// a chain with everything
require(package "x");
i :: Idle -> c1, c2 :: Counter;
Idle -> [0] n :: Null [0] -> Queue(10) -> Unqueue -> Discard;
