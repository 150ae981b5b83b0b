require(library l);
Idle -> L($given) -> Discard;
