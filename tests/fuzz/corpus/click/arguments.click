Idle -> c :: Classifier(12/0800, 12/0806 20/0001, -);
c [0] -> Print("a \"b\" \<41>", MAXLENGTH 10) -> q :: Queue(CAPACITY 5);
c [1] -> Print('x', ACTIVE false) -> q -> Discard(BURST 4);
c [2] -> s :: Switch(-1) -> Discard;
