Idle -> c :: Counter -> t :: Tee(2);
t [0] -> Discard; t [1] -> Paint(3) -> ps :: PaintSwitch;
ps [0] -> Discard;
