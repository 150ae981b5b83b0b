# 12 "a.click"
elementclass F { input -> /* x */ output };
define($x 3); a => b; (a; b) -> { c } || ... ; ${y} -> d [0,1] -> e
