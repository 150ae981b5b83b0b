// Grammar: each mistake once, and reading goes on.
a :: ;
Idle -> -> Discard;
q :: Queue; q :: Queue(5);
Idle, Idle -> Discard, Discard;
Idle => [0,1,2] Tee, Tee;
x [a] -> Discard;
define(y 3);
require(one two three);
# 100 "other.click"
Idle -> (Counter -> Discard;
