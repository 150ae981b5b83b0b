// Compound elements: pseudo-elements and parameters.
elementclass Gap { input [1] -> [2] output; }
elementclass Backwards { output -> Counter -> input; }
elementclass Order { K $a, $b | input -> output }
elementclass Twice { $a, $a | input -> output }
Idle -> { input -> Counter } [0] -> Discard;
