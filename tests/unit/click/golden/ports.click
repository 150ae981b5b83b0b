// Port counts (Click's Router::check_hookup_range and check_hookup_completeness).
i :: Idle; c :: Counter; d :: Discard;
i -> c -> d;
c [1] -> d;
i [1] -> [3] c;
Counter;
