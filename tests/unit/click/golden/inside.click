// What is wrong inside a compound is told of the element with its full name, at its place in the file.
elementclass Limited { $n |
  input -> q :: Queue($n) -> output
}
Idle -> l :: Limited(none) -> ToDevice(eth0);
Idle -> Limited(5) -> { input -> { input -> Counter -> Paint(-1) -> output } -> output } -> ToDevice(eth1);
