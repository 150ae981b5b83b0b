require(package p, compact_config); provide(q)
AddressInfo(a 10.0.0.1/24 00:00:00:00:00:01 2001:db8::1/32 ::/0, b 10/8);
PortInfo(web 8080/tcp alias, n 1);
x :: { AddressInfo(a 1.2.3.4); Idle -> Paint(ANNO PAINT, COLOR 0x7) -> Switch(-1) -> Discard }
