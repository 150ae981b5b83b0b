// Argument errors in the order of the element's table, several elements in one run (Click's Args: required, parse error, range,
// unknown, too many).
i :: Idle -> q :: Queue(x) -> Discard;
j :: Idle
  -> Queue(CAPACITY 99999999999, SIZE 3) -> Discard;
k :: Idle -> Paint -> Discard(1, 2, 3);
l :: Idle -> Switch(1.5) -> Discard;
