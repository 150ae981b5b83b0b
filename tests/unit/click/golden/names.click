// AddressInfo and PortInfo, and names that are none.
AddressInfo(host 10.0.0.1/24 2001:db8::1, bad 10.0.0.300, alone);
PortInfo(web 80/tcp, wrong);
