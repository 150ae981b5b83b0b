// Unknown classes and elements, with the nearest name.
a :: Idle -> Countr -> Discard;
Idle -> cuonter -> Discard;
Idle -> nowhere;
counter :: Counter;
Queue :: Counter;
x :: { Strip :: Counter; Idle -> Strip -> Discard };
