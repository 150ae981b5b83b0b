// A firewall between two interfaces. What it lets through is decided by one eBPF program, which is replaced while packets
// flow: `imago load RUN fw block_dns.imb`.
//
// Every frame that comes in ends in exactly one place: it leaves by eth1, or it stands in one of the drop counters that
// `imago read RUN drops` lists. Their sum is the number of frames received.

in  :: FromDevice(eth0);
out :: ToDevice(eth1);

// Sorts by Ethernet type. What is too short to have one matches only the last pattern.
kind :: Classifier(12/0806,           // 0: ARP
                   12/0800,           // 1: IPv4
                   12/86dd,           // 2: IPv6
                   12/8100,           // 3: a VLAN tag; the program looks behind it
                   -);                // 4: anything else, runts among it

// The program of the boot archive, until another is loaded. XDP_PASS goes on, XDP_DROP is counted as a drop of fw.
fw :: BPFilter(FILE pass.imb);

// Where push becomes pull: ToDevice takes packets as fast as the device does. When the queue is full, it drops and counts.
queue :: Queue(1024);

in -> received :: Counter -> kind;

kind[0] -> arp :: Counter -> queue;   // without ARP nobody finds the other side: not filtered
kind[1] -> ipv4 :: Counter -> fw;
kind[2] -> ipv6 :: Counter -> fw;
kind[3] -> vlan :: Counter -> fw;
kind[4] -> other :: Discard;          // not ours to forward

fw -> passed :: Counter -> queue;
queue -> forwarded :: Counter -> out;
