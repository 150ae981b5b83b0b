// Push and pull (Click's processing errors), with arguments wrong in the same run.
FromDevice(eth0) -> ToDevice(eth0);
FromDevice(eth1) -> c :: Counter(BAD 1)
  -> ToDevice(eth1);
s :: Queue -> Queue -> ToDevice(eth2); Idle -> s;
s -> t :: ToDevice(eth3); Idle -> Queue -> t;
