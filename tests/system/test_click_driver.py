# SPDX-License-Identifier: BSD-3-Clause
"""imago click and its companions, as a user of Click's driver knows them: command lines with what they print and how they end.

`source` names where it is written that Click does so: click(1), click-undead(1), or the documentation of an element.
"""
import dataclasses
import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest

from conftest import BUILD, PATIENCE
from wire import wait_until

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / BUILD / "tools/imago"
CHAIN = "i :: Idle -> c :: Counter -> d :: Discard"
USAGE = "Usage: imago click [OPTION]... [FILE]\nTry 'imago click --help' for more information.\n"


@dataclasses.dataclass
class Row:
    source: str
    arguments: list
    out: str = ""
    err: str = ""
    status: int = 0
    stdin: str = ""
    command: str = "click"


def rows(*table):
    return [pytest.param(row, id=f"{number}-{' '.join(row.arguments)[:40]}") for number, row in enumerate(table)]


READING = rows(
    Row("click(1): --handler", ["-q", "-e", CHAIN, "-h", "c.count"], "0\n"),
    Row("click(1): --handler, 'the global read handler'", ["-qe", CHAIN, "-h", "list"], "3\ni\nc\nd\n"),
    Row("click(1): --handler; several stand under their names", ["-qe", CHAIN, "-h", "c.count", "-h", "i.class"], "c.count:\n0\n\ni.class:\nIdle\n\n"),
    Row("click(1): 'element may also be a pattern'", ["-qe", CHAIN, "-h", "*.class"], "i.class:\nIdle\n\nc.class:\nCounter\n\nd.class:\nDiscard\n\n"),
    Row("click(1): 'the shell's globbing syntax (*, ?, and [...])'", ["-qe", CHAIN, "-h", "[a-c].class"], "c.class:\nCounter\n\n"),
    Row("click(1): a pattern reads those that have the handler", ["-qe", CHAIN, "-h", "?.byte_count"], "c.byte_count:\n0\n\n"),
    Row("userlevel/click.cc: a class stands for its elements", ["-qe", CHAIN, "-h", "Counter.count"], "c.count:\n0\n\n"),
    Row("userlevel/click.cc: no such handler", ["-qe", CHAIN, "-h", "c.frob"], err="no 'c.frob' handler\n", status=1),
    Row("userlevel/click.cc: a global one", ["-qe", CHAIN, "-h", "frob"], err="no 'frob' handler\n", status=1),
    Row("userlevel/click.cc: a write handler", ["-qe", CHAIN, "-h", "c.reset"], err="'c.reset' is a write handler\n", status=1),
    Row("userlevel/click.cc: no such element", ["-qe", CHAIN, "-h", "x.count"], err="no element 'x'\n", status=1),
    Row("userlevel/click.cc: no match", ["-qe", CHAIN, "-h", "x*.count"], err="no element matching 'x*'\n", status=1),
    Row("userlevel/click.cc: errors don't keep others from being read", ["-qe", CHAIN, "-h", "x.y", "-h", "c.count"], "c.count:\n0\n\n", "no element 'x'\n", 1),
)

EXITING = rows(
    Row("click(1): --exit-handler", ["-qe", CHAIN, "-x", "c.count"]),
    Row("click(1): --exit-handler, a number", ["-qe", "s :: Script(TYPE PASSIVE, return 7)", "-x", "s.run"], status=7),
    Row("userlevel/click.cc: true is success", ["-qe", "s :: Script(TYPE PASSIVE, return true)", "-x", "s.run"]),
    Row("userlevel/click.cc: false is failure", ["-qe", "s :: Script(TYPE PASSIVE, return false)", "-x", "s.run"], status=1),
    Row("userlevel/click.cc: -1 is 255", ["-qe", "s :: Script(TYPE PASSIVE, return -1)", "-x", "s.run"], status=255),
    Row("userlevel/click.cc: neither", ["-qe", CHAIN, "-x", "c.class"], err="exit handler value should be integer\n", status=255),
)

STOPPING = rows(
    Row("Click's test/handlers/expansion-01", ["-e", "define($j sub) Script(print $(add 1 2), set i add, print $($i 3 4), print $($(s.run).name), "
        "print $($j 8 5), print $($j.run), stop) s :: Script(TYPE PASSIVE, return i2) sub :: Script(TYPE PASSIVE, return Hello) i1, i2 :: Idle"],
        "3\n7\ni2\n3\nHello\n"),
    Row("Click's test/handlers/handlercall-01", ["-e", "InfiniteSource(LIMIT 100, STOP true) -> Counter(COUNT_CALL 5 s.switch 1) -> s :: Switch -> c :: Counter "
        "-> d :: Discard; s[1] -> d; DriverManager(wait_stop, print c.count)", "-h", "c.count"], "4\n4\n"),
    Row("Click's test/standard/Unqueue-01", ["-e", "InfiniteSource(LIMIT 5, STOP true) -> SimpleQueue -> unqueue :: Unqueue(LIMIT 1) -> "
        "s :: Script(TYPE PACKET, export count 0, set count $(add $count 1), write unqueue.reset); DriverManager(pause, wait 0.1s, print s.count);"], "5\n"),
    Row("Click's test/standard/Script-04", ["-e", "Script(print $(max -1 6 3), print $(div 75 2.5 5), print $(idiv 60 2 5), print $(htonl $(ntohl 6)), "
        "write set foovar foo bar baz, print $(shift foovar), print $(get foovar), stop)"], "6\n6\n6\n6\nfoo\nbar baz\n"),
    Row("Click's test/tools/lexer-08: line markers in configuration strings", ["-e", 'Message(\n# 100 "foobar.click"\n"test");\nMessage("test2");\nScript(stop)'],
        err="config:1: While configuring 'Message@1 :: Message':\n  test\nfoobar.click:101: While configuring 'Message@2 :: Message':\n  test2\n"),
    Row("DriverManager: stop", ["-e", "DriverManager(stop)"]),
    Row("DriverManager: wait, then stop", ["-e", "DriverManager(wait 0.01s, stop)"]),
    Row("Script: TYPE DRIVER, print, stop", ["-e", 'Script(TYPE DRIVER, print "hello", stop)'], "hello\n"),
    Row("Script: stop in an active script", ["-e", 'Script(print "hello", stop)'], "hello\n"),
    Row("Script: write stop", ["-e", "Script(write stop)"]),
    Row("click(1): handlers are read after the driver ran", ["-e", f'{CHAIN}; Script(print "ran", stop)', "-h", "c.count"], "ran\n0\n"),
    Row("click(1): --simtime starts at 1000000000 and jumps to the next timer", ["--simtime", "-e", "s :: Script(wait 1h, set x $(sub $(now) 1000003600), "
        'print $(lt $x 0.001), stop)'], "true\n"),
    Row("userlevel/click.cc: handler timewarp of --simtime", ["--simtime", "-q", "-e", CHAIN, "-h", "timewarp"], "simulation\n"),
    Row("userlevel/click.cc: simulated time cannot be warped", ["--simtime", "-e", "Script(write timewarp 2, stop)"],
        err="While executing 'Script@1 :: Script':\n  While calling 'timewarp':\n  time is simulated: it cannot be warped\n"),
    Row("userlevel/click.cc: timewarp is a factor", ["-e", "s :: Script(print $(timewarp), write timewarp 100000, print $(timewarp), wait 1h, stop)"],
        "1\n100000\n"),
    Row("userlevel/click.cc: timewarp nowait", ["-e", "s :: Script(write timewarp nowait, print $(timewarp), set x $(now), wait 1h, wait 1h, "
        "print $(ge $(sub $(now) $x) 7200), stop)"], "nowait\ntrue\n"),
    Row("userlevel/click.cc: timewarp 'expected double'", ["-e", "s :: Script(write timewarp fast, stop)"],
        err="While executing 's :: Script':\n  While calling 'timewarp':\n  expected double\n"),
    Row("userlevel/click.cc: 'timefactor must be > 0'", ["-e", "s :: Script(write timewarp 0, stop)"],
        err="While executing 's :: Script':\n  While calling 'timewarp':\n  timefactor must be > 0\n"),
    Row("click(1): a configuration without elements ends at once", ["-e", ""], err="warning: config: configuration has no elements, exiting\n"),
    Row("click(1): --no-warnings", ["-w", "-e", ""]),
    Row("click(1): --warnings takes it back", ["-w", "--warnings"], err="warning: <stdin>: configuration has no elements, exiting\n"),
    Row("click(1): --quit needs no elements", ["-qe", ""]),
)

FILES = rows(
    Row("click(1): 'The default is the standard input'", ["-q", "-h", "c.count"], "0\n", stdin=CHAIN),
    Row("click(1): 'If any filename argument is a single dash'", ["-q", "-", "-h", "c.count"], "0\n", stdin=CHAIN),
    Row("click(1): --file", ["-qf", "-", "-h", "c.count"], "0\n", stdin=CHAIN),
    Row("userlevel/click.cc: a file that is not there", ["no/such/file"], err="no/such/file: No such file or directory\n", status=1),
    Row("userlevel/click.cc: two files", ["a", "b"], err="router configuration specified twice\n" + USAGE, status=1),
    Row("clp(3): an unknown option", ["--frob"], err="imago click: unrecognized option '--frob'\n" + USAGE, status=1),
    Row("click(5): a parameter of the command line", ["-qe", "q :: Queue($N); Idle -> q -> Discard", "N=5", "-h", "q.capacity"], "5\n"),
    Row("userlevel/click.cc: a parameter twice", ["-qe", CHAIN, "N=5", "N=6"], err="parameter 'N' multiply defined\n", status=1),
    Row("click(5): require(library)", ["-qe", "require(library no-such.click) " + CHAIN], status=1,
        err="config:1: library 'no-such.click' not found in CLICKPATH/conf\n"),
    Row("Click's test/compound/compact-01: require(compact_config), then 'config' is the flat form",
        ["-qe", "require(compact_config) a :: { -> Counter -> }; Idle -> a -> Discard", "-h", "config"],
        "require(compact_config);\n\nIdle@2 :: Idle;\nDiscard@3 :: Discard;\na/Counter@1 :: Counter;\n\nIdle@2 -> a/Counter@1\n    -> Discard@3;\n"),
    Row("click(1): --output to standard output", ["-qo-", "-e", "i :: Idle -> d :: Discard"], "i :: Idle;\nd :: Discard;\n\ni -> d;\n"),
    Row("userlevel/click.cc: an output that cannot be written", ["-qo", "/no/such", "-e", CHAIN], err="/no/such: No such file or directory\n", status=1),
)

PRETTY_USAGE = USAGE.replace("imago click", "imago click-pretty")
COMPANIONS = rows(
    Row("click-undead(1): --kernel, and what Click's kernel driver lacks", ["-k", "-e", "i :: InfiniteSource -> d :: ToDump(x)"], status=1,
        err="config: configuration incompatible with linuxmodule driver: ToDump needs a process\n", command="click-undead"),
    Row("click-undead(1): --user", ["-ku", "-e", "i :: InfiniteSource -> d :: ToDump(x)"], "i :: InfiniteSource;\nd :: ToDump(x);\n\ni -> d;\n",
        command="click-undead"),
    Row("tools/click-undead.cc: negations", ["--kernel", "--no-kernel", "-e", "i :: InfiniteSource -> d :: ToDump(x)"],
        "i :: InfiniteSource;\nd :: ToDump(x);\n\ni -> d;\n", command="click-undead"),
    Row("tools/click-pretty.cc: --dot", ["--dot", "-e", "i :: Idle -> q :: Queue -> d :: Discard; i [1] -> q"], command="click-pretty", out=
        'digraph clickrouter {\n  node [shape=record,height=.1]\n  edge [arrowhead=normal,arrowtail=none,tailclip=false]\n'
        '  "i" [label="{Idle|{<o0>|<o1>}}"];\n  "q" [label="{{<i0>}|Queue|{<o0>}}"];\n  "d" [label="{{<i0>}|Discard}"];\n'
        '  "i":o0 -> "q":i0;\n  "q":o0 -> "d":i0;\n  "i":o1 -> "q":i0;\n}\n'),
    Row("tools/click-pretty.cc: --gml", ["--gml", "-e", "i :: Idle -> d :: Discard"], command="click-pretty", out=
        'Creator "click-pretty"\ngraph\n[ hierarchic 1\n  directed 1\n  node\n  [ id 0\n    label "i"\n  ]\n  node\n  [ id 1\n    label "d"\n  ]\n'
        '  edge\n  [ source 0\n    target 1\n    edgeAnchor\n    [ xSource 0.000000\n      xTarget 0.000000\n      ySource 1\n      yTarget -1\n    ]\n  ]\n]\n'),
    Row("tools/click-pretty.cc: two actions", ["--dot", "--gml"], err="action specified twice\n" + PRETTY_USAGE, status=1, command="click-pretty"),
    Row("tools/click-pretty.cc: two drivers", ["-l", "--userlevel"], err="driver specified twice\n" + PRETTY_USAGE, status=1, command="click-pretty"),
    Row("tools/click-pretty.cc: --package-docs", ["--package-docs", "x"], err="'--package-docs' option must contain an equals sign\n" + PRETTY_USAGE,
        status=1, command="click-pretty"),
    Row("Click's test/tools/lexer-04: chains go on at port 0", ["-e", "a, b, c :: Idle; a => b, c, [0,1] a;"],
        "a :: Idle;\nb :: Idle;\nc :: Idle;\n\na [1] -> c;\na [2] -> a\n    -> b;\na [3] -> [1] a;\n", command="click-flatten"),
    Row("Router::unparse_connections: a chain ends where it arrives at another input; rings", ["-e", "a, b :: Idle; a -> [1] b -> b; a [1] -> a;"],
        "a :: Idle;\nb :: Idle;\n\nb -> b;\na [1] -> a\n    -> [1] b;\n", command="click-flatten"),
    Row("Click's test/tools/undead-01", ["-e", "Idle -> Counter -> td1 :: ToDump(a); is :: InfiniteSource -> ss :: StaticSwitch(1);"
        "ss[0] -> ToDump(c); ss[1] -> q :: Queue -> rr :: RoundRobinSched; Idle -> [1]rr; rr -> td2 :: ToDump(b);"],
        "is :: InfiniteSource;\nq :: Queue;\ntd2 :: ToDump(b);\n\nis -> q\n    -> td2;\n", command="click-undead"),
    Row("click-flatten(1)", ["-e", "i :: Idle -> d :: Discard"], "i :: Idle;\nd :: Discard;\n\ni -> d;\n", command="click-flatten"),
    Row("click-undead(1): Nulls are removed", ["-e", "f :: FromDevice(a) -> Null -> q :: Queue -> t :: ToDevice(b)"],
        "f :: FromDevice(a);\nq :: Queue;\nt :: ToDevice(b);\n\nf -> q\n    -> t;\n", command="click-undead"),
    Row("click-undead(1): 'not reachable from both a source element and a sink element'",
        ["-e", "f :: FromDevice(a) -> q :: Queue -> t :: ToDevice(b); Idle -> Counter -> ToDevice(c)"],
        "f :: FromDevice(a);\nq :: Queue;\nt :: ToDevice(b);\n\nf -> q\n    -> t;\n", command="click-undead"),
    Row("click-undead(1): dead ports of tees, and tees with one output",
        ["-e", "f :: FromDevice(a) -> s :: Tee(2) -> q :: Queue -> t :: ToDevice(b); s[1] -> Discard"],
        "f :: FromDevice(a);\nq :: Queue;\nt :: ToDevice(b);\n\nf -> q\n    -> t;\n", command="click-undead"),
    Row("click-undead(1): live ports that lose their peer get an Idle",
        ["-e", "f :: FromDevice(a) -> s :: Switch(0) -> q :: Queue -> t :: ToDevice(b); s[1] -> Discard"],
        "f :: FromDevice(a);\ns :: Switch(0);\nq :: Queue;\nt :: ToDevice(b);\nIdle@6 :: Idle;\n\nf -> s\n    -> q\n    -> t;\ns [1] -> Idle@6;\n",
        command="click-undead"),
    Row("click-undead(1): 'will not remove any information elements'", ["-e", "a :: AddressInfo(x 1.2.3.4)"], "a :: AddressInfo(x 1.2.3.4);\n",
        command="click-undead"),
)


def run(row):
    done = subprocess.run([PROGRAM, row.command, *row.arguments], input=row.stdin, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.stdout, done.stderr, done.returncode


@pytest.mark.parametrize("row", READING + EXITING + STOPPING + FILES + COMPANIONS)
def test_command_line(row):
    assert run(row) == (row.out, row.err, row.status)


def test_time_is_user_system_and_wall_clock():
    """userlevel/click.cc: the report of --time, in the form of csh's time."""
    out, _, status = run(Row("", ["-te", "DriverManager(wait 0.05s, stop)"]))
    assert status == 0
    assert re.fullmatch(r"\d+\.\d{3}u \d+\.\d{3}s 0:00\.\d\d\n", out)
    assert int(out.split(".")[-1]) >= 5


def test_output_file_holds_the_flat_configuration(tmp_path):
    """click(1): --output."""
    file = tmp_path / "flat.click"
    assert run(Row("", ["-qo", str(file), "-e", "i :: Idle -> d :: Discard"])) == ("", "", 0)
    assert file.read_text() == "i :: Idle;\nd :: Discard;\n\ni -> d;\n"


def test_page_of_click_pretty_holds_the_whole_graph(tmp_path):
    """click-pretty(1): anchors of elements, classes of the spans; the picture has a box for each element and an edge for each connection."""
    file = tmp_path / "graph.click"
    file.write_text("// <a comment>\ni :: Idle -> c :: Counter -> d :: Discard;\n")
    out, err, status = run(Row("", [str(file)], command="click-pretty"))
    assert (err, status) == ("", 0)
    assert [f'<a name="e-{name}">' in out for name in "icd"] == [True] * 3
    assert [f'id="et-{name}"' in out for name in "icd"] == [True] * 3
    assert '<span class="c-cmt">// &lt;a comment&gt;</span>' in out
    assert out.count('class="box"') == 3
    assert out.count('class="edge"') == 2


def test_page_of_click_pretty_shows_errors(tmp_path):
    """click-pretty(1): 'c-err'; the page is there in spite of them."""
    file = tmp_path / "graph.click"
    file.write_text("i :: Idle;\nq :: -> ];\n")
    out, err, status = run(Row("", [str(file)], command="click-pretty"))
    assert (err, status) == (f"{file}:2: missing element type in declaration\n", 1)
    assert '\n<span class="c-err" title="missing element type in declaration">q :: -&gt; ];</span>\n' in out


def test_libraries_lie_in_the_archive(tmp_path):
    """click(5): "Archives"; a member is read as a library where the configuration in the archive requires it."""
    (tmp_path / "config").write_text("require(library pair.click); Idle -> Pair -> Discard;")
    (tmp_path / "pair.click").write_text("elementclass Pair { -> Counter -> Null -> }")
    subprocess.run(["ar", "qc", "graph.ar", "config", "pair.click"], cwd=tmp_path, check=True)
    for command in ("click", "click-flatten"):
        arguments = ["-qo", "-", "graph.ar"] if command == "click" else ["graph.ar"]
        done = subprocess.run([PROGRAM, command, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=True)
        assert "Pair@2/Counter@1 :: Counter;" in done.stdout


def test_templates_of_click_pretty(tmp_path):
    """click-pretty(1): --template, --define, --write-template, --class-docs, --package-docs."""
    template = tmp_path / "template"
    template.write_text("<ul><~elements entry='<li><~name link> :: <~type link> <~extra></li>'></ul><~config>\n")
    click = "i :: Idle -> d :: Discard"
    out = "".join(f'<li><a href="#e-{name}">{name}</a> :: <a href="http://x/{kind}.html">{kind}</a> more</li>' for name, kind in (("d", "Discard"), ("i", "Idle")))
    for docs in (["-u", "http://x/%s.html"], ["--package-docs", "=http://x/%s.html"]):
        page, err, status = run(Row("", ["-t", str(template), "-d", "extra=more", *docs, "-e", click], command="click-pretty"))
        assert (err, status) == ("", 0)
        assert page.startswith(f"<ul>{out}</ul><pre><a name=\"e-i\">")
    assert run(Row("", ["--write-template", "-t", str(template)], command="click-pretty")) == (template.read_text(), "", 0)
    default = run(Row("", ["--write-template"], command="click-pretty"))[0]
    template.write_text(default)
    assert run(Row("", ["-t", str(template), "-e", click], command="click-pretty")) == run(Row("", ["-e", click], command="click-pretty"))


class Driver:
    """A driver that runs until the test ends it."""

    def __init__(self, *arguments, **options):
        self.process = subprocess.Popen([PROGRAM, "click", *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, **options)

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE)
        return out, err, self.process.returncode


# Says "up" when the graph runs, which is when signals reach the driver.
READY = 'Script(print "up")'


@pytest.fixture
def driver():
    started = []

    def start(*arguments, **options):
        started.append(Driver(*arguments, **options))
        assert started[-1].process.stdout.readline() == "up\n", started[-1].process.communicate(timeout=PATIENCE)
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_stop_the_driver_and_handlers_are_read(driver, number):
    """click(1): 'generally continues until interrupted'; running out of live sources is no reason to stop."""
    assert driver("-e", f"{CHAIN}; {READY}", "-h", "c.count").end(number) == ("0\n", "", 0)


def processors_of_threads(pid):
    """The processors that each thread may run on, in the order in which the threads were started."""
    tasks = sorted(pathlib.Path(f"/proc/{pid}/task").iterdir(), key=lambda task: int(task.name))
    return [os.sched_getaffinity(int(task.name)) for task in tasks]


@pytest.mark.parametrize("option, first", [("-a", 0), ("-a0", 0), ("--affinity=1", 1), ("--no-affinity", None)])
def test_threads_stay_on_their_processors(driver, option, first):
    """click(1): --affinity[=N]: 'Pin threads to CPUs (default #0)'; thread i on CPU N + i, where there is one."""
    there = os.sched_getaffinity(0)
    running = driver("-j", "2", option, "-e", f"{CHAIN}; {READY}")
    expected = [there if first is None or first + i not in there else {first + i} for i in range(2)]
    wait_until(lambda: processors_of_threads(running.process.pid) == expected, PATIENCE, f"threads on {expected}")
    running.end()


def test_threads_stop_together(driver):
    """click(1): --threads, --affinity."""
    assert driver("-j", "3", "-a0", "-e", f"{CHAIN}; {READY}", "-h", "c.count").end() == ("0\n", "", 0)


def test_sighup_reads_the_file_again(driver, tmp_path):
    """Issue 3: SIGHUP with -f is a hot swap; a bad file leaves the old graph running and says why."""
    file = tmp_path / "router.click"
    file.write_text(f"{CHAIN}; {READY}")
    running = driver("-f", file, "-h", "list")
    file.write_text("Idle -> NoSuchClass")
    running.process.send_signal(signal.SIGHUP)
    assert "NoSuchClass" in running.process.stderr.readline()
    file.write_text('other :: Script(print "swapped")')
    running.process.send_signal(signal.SIGHUP)
    assert running.process.stdout.readline() == "swapped\n"
    out, _, status = running.end()
    assert (out, status) == ("1\nother\n", 0)


def test_the_next_free_port():
    """ControlSocket: 'PORT+': if that port is in use, the next that is free."""
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        out, err, status = run(Row("", ["-q", "-p", f"{port}+", "-e", CHAIN, "-h", "click_driver@@ControlSocket.port"]))
        assert (err, status) == ("", 0)
        assert int(out) > port
        _, err, status = run(Row("", ["-q", "-p", f"{port}", "-e", CHAIN]))
        assert status == 1
        assert "Address already in use" in err


def test_a_chatter_client_outlives_a_hot_swap(driver, runtime):
    """Issue 3: hot swap takes over state from elements of the same name, which for a ChatterSocket is its clients."""
    control, chatter = str(runtime / "control"), str(runtime / "chatter")
    socket_of = f'chat :: ChatterSocket(unix, "{chatter}", RETRIES 1)'
    driver("-R", "-u", control, "-e", f"{socket_of}; {READY}")
    listener = connected(socket.socket(socket.AF_UNIX), chatter)
    with listener, listener.makefile("r", newline="") as stream:
        assert stream.readline() == "Click::ChatterSocket/1.0\r\n"
        new = f"{socket_of}; new :: Script(wait 0.05s, print nothing.at, loop)"
        with connected(socket.socket(socket.AF_UNIX), control) as client, client.makefile("rw", newline="") as session:
            session.write(f"WRITEDATA hotconfig {len(new)}\r\n{new}")
            session.flush()
            assert [session.readline() for _ in range(2)][1] == "200 Write handler 'hotconfig' OK\r\n"
        while "While executing 'new :: Script'" not in stream.readline():
            pass


@pytest.mark.parametrize("end, rest, status", [("end", ["got USR1", "K 2", "got USR1"], 0), ("exit", ["got USR1", "K 2"], -signal.SIGUSR1)])
def test_signal_scripts(end, rest, status):
    """Click's test/userlevel/Script-signal: a signal script runs soon after the signal; `end` installs it again, `exit` does not."""
    script = f"Script(TYPE SIGNAL USR1, print 'got USR1', {end}); Script(print 'K 1', set y $(kill USR1 $$), wait 10us, print 'K 2', " \
        "set y $(kill USR1 $$), wait 10us, stop)"
    out, _, ended = run(Row("", ["-e", script]))
    assert (out.split("\n")[:-1], ended) == (["K 1", *rest], status)


def ar(**members):
    """An archive as ar(5) lays it out, the way GNU's ar writes it."""
    data = b"!<arch>\n"
    for name, text in members.items():
        data += f"{name + '/':16}{0:<12}{0:<6}{0:<6}{'644':8}{len(text):<10}`\n{text}".encode() + b"\n" * (len(text) % 2)
    return data


@pytest.mark.parametrize("command", ["click", "click-flatten"])
def test_archives_are_configurations(tmp_path, command):
    """click(5), "Archives": the member `config` is a Click-language configuration."""
    file = tmp_path / "router.ar"
    file.write_bytes(ar(package="x", config="i :: InfiniteSource -> d :: Discard"))
    options = ["-qo-"] if command == "click" else []
    assert run(Row("", [*options, str(file)], command=command)) == ("i :: InfiniteSource;\nd :: Discard;\n\ni -> d;\n", "", 0)
    file.write_bytes(ar(package="x"))
    assert run(Row("", [*options, str(file)], command=command)) == ("", f"{file}: archive has no 'config' section\n", 1)


def test_libraries_are_found_on_the_click_path(tmp_path, monkeypatch):
    """click(1): --clickpath PATH, and $CLICKPATH without it; a library stands beside its configuration, too."""
    (tmp_path / "two.click").write_text("elementclass Two { input -> a :: Counter -> b :: Counter -> output }")
    (tmp_path / "main.click").write_text("require(library two.click) Idle -> t :: Two -> Discard")
    click = (tmp_path / "main.click").read_text()
    for arguments in (["-C", f"/no/such:{tmp_path}", "-e", click], [str(tmp_path / "main.click")]):
        assert run(Row("", ["-q", *arguments, "-h", "t/b.count"])) == ("0\n", "", 0)
    monkeypatch.setenv("CLICKPATH", str(tmp_path))
    assert run(Row("", ["-qe", click, "-h", "t/b.count"])) == ("0\n", "", 0)


def ask(client, *lines):
    """Sends command lines and QUIT; everything the ControlSocket says."""
    with client, client.makefile("rw", newline="") as stream:
        stream.write("".join(f"{line}\r\n" for line in (*lines, "QUIT")))
        stream.flush()
        return stream.read()


def connected(client, address):
    client.settimeout(PATIENCE)
    client.connect(address)
    return client


REPLY = "Click::ControlSocket/1.3\r\n200 Read handler 'c.count' OK\r\nDATA 1\r\n0200 Goodbye!\r\n"


def test_control_sockets_of_the_command_line(driver, runtime):
    """click(1): --port, --unix-socket, --socket; ControlSocket: the protocol."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = str(runtime / "control")
    driver("-p", port, "-u", path, "-e", f"{CHAIN}; {READY}")
    assert ask(connected(socket.socket(socket.AF_UNIX), path), "READ c.count") == REPLY
    assert ask(connected(socket.socket(), ("127.0.0.1", port)), "READ c.count") == REPLY


@pytest.mark.parametrize("kind", ["unix", "tcp", "descriptor"])
def test_hotconfig_keeps_control_sockets_and_their_clients(driver, runtime, kind):
    """click(1): remote ControlSocket users may reconfigure the router dynamically; so their connection must outlive that."""
    near, far = socket.socketpair()
    path, port = str(runtime / "control"), 0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    option = {"unix": ["-u", path], "tcp": ["-p", port], "descriptor": ["--socket", far.fileno()]}[kind]
    driver("-R", *option, "-e", f"{CHAIN}; {READY}", pass_fds=[far.fileno()])
    clients = {"unix": lambda: connected(socket.socket(socket.AF_UNIX), path),
               "tcp": lambda: connected(socket.socket(), ("127.0.0.1", port)), "descriptor": lambda: near}
    client = clients[kind]()
    client.settimeout(PATIENCE)
    with client.makefile("rw", newline="") as stream:
        new = "new :: Idle"
        stream.write(f"WRITEDATA hotconfig {len(new)}\r\n{new}")
        stream.flush()
        assert [stream.readline() for _ in range(2)] == ["Click::ControlSocket/1.3\r\n", "200 Write handler 'hotconfig' OK\r\n"]

        def swapped():
            stream.write("READ list\r\n")
            stream.flush()
            length = int([stream.readline() for _ in range(2)][-1].split()[1])
            return "new" in stream.read(length).split()

        wait_until(swapped, PATIENCE, "the new graph")
    if kind != "descriptor":
        assert "new" in ask(clients[kind](), "READ list")
    far.close()


def test_llrpc_is_refused_clearly(driver, runtime):
    """Issue 3: LLRPC refused clearly (501 is ControlSocket's code for a command that is not implemented)."""
    path = str(runtime / "control")
    driver("-u", path, "-e", f"{CHAIN}; {READY}")
    assert "\r\n501" in ask(connected(socket.socket(socket.AF_UNIX), path), "LLRPC c#1")


@pytest.mark.parametrize("option, offered", [("-R", True), ("--no-allow-reconfigure", False)])
def test_hotconfig_is_there_when_it_was_asked_for(option, offered):
    """click(1): --allow-reconfigure provides the handler hotconfig."""
    out, err, _ = run(Row("", [option, "-e", "old :: Script(write hotconfig new :: Script(stop), wait 1s, stop)", "-h", "list"]))
    assert out == ("1\nnew\n" if offered else "1\nold\n")
    assert ("hotconfig" in err) == (not offered)


def test_image_of_a_process_only_class_is_refused_by_name(tmp_path):
    """Issue 3: classes that need files or sockets of the host."""
    listed = subprocess.run([PROGRAM, "elements"], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    names = [line.split()[0] for line in listed.splitlines() if line.split()[1] == "*"]
    assert names
    for name in names:
        file = tmp_path / "test.click"
        file.write_text(f"x :: {name}; y :: Idle -> Discard;\n")
        done = subprocess.run([PROGRAM, "build", file, "-o", tmp_path / "image"], capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert done.returncode == 1
        assert f"{name} is not available in an image; it needs files or sockets of the host" in done.stderr
