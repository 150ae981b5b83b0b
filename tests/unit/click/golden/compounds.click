// Compound elements: alternatives, pseudo-elements, order of parameters (Click's Lexer::Compound).
elementclass Two { $a | input -> Paint($a) -> output
  || $a, LABEL $b | input -> Paint($a) -> Print($b) -> output }
Idle -> Two(1) -> Discard;
Idle -> Two -> Discard;
Idle -> t :: Two(1, 2, 3); t [2] -> Discard;
