"""A daemon and agents behind links: network namespaces with a bandwidth, or a delay for every message.

Beside lab.run, whose agents share this machine's loopback. Namespaces need root; what is made is taken
away at the end, whatever happens.
"""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from lab import Run, Skipped

HERE = os.path.dirname(os.path.abspath(__file__))
START_SECONDS, POLL_SECONDS = 20, 0.1


def need_namespaces():
    """Skips the row where there are none to be had."""
    if os.geteuid() != 0:
        raise Skipped('network namespaces need root')
    for tool in ('ip', 'tc'):
        if shutil.which(tool) is None:
            raise Skipped(f'{tool} is not installed (Debian: iproute2)')
    name = f'cnvp{os.getpid()}-try'
    made = subprocess.run(['ip', 'netns', 'add', name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise Skipped(f'no network namespaces here: {made.stderr.strip()}')
    _call('ip', 'netns', 'del', name)


def _call(*words):
    subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True)


def _link(server, host, number, mbit):
    """A pair of wires, each end of which sends at so many Mbit/s.

    The burst is small enough that a message after a pause does not pass unshaped; the queue so long
    that nothing is dropped."""
    burst = '16kb' if mbit <= 200 else '64kb'
    _call('ip', '-n', server, 'link', 'add', f'to-{number}', 'type', 'veth', 'peer', 'name', 'uplink', 'netns', host)
    for space, device, last in ((server, f'to-{number}', 1), (host, 'uplink', 2)):
        _call('ip', '-n', space, 'address', 'add', f'10.88.{number}.{last}/24', 'dev', device)
        _call('ip', '-n', space, 'link', 'set', device, 'up')
        _call('tc', '-n', space, 'qdisc', 'add', 'dev', device, 'root', 'tbf', 'rate', f'{mbit}mbit', 'burst', burst,
              'limit', '2mb')


@contextlib.contextmanager
def links(agents, mbit):
    """Namespaces for a server and so many agents: yields a Cluster."""
    need_namespaces()
    tag, made = f'cnvp{os.getpid()}', []
    try:
        for name in [f'{tag}-s'] + [f'{tag}-{k}' for k in range(1, agents + 1)]:
            _call('ip', 'netns', 'add', name)
            made.append(name)
            _call('ip', '-n', name, 'link', 'set', 'lo', 'up')
        for k, host in enumerate(made[1:], 1):
            _link(made[0], host, k, mbit)
        yield Cluster(inside(made[0]), [(inside(host), f'10.88.{k}.1') for k, host in enumerate(made[1:], 1)])
    finally:
        for name in made:
            subprocess.run(['ip', 'netns', 'del', name], check=False)


def inside(space):
    return ['ip', 'netns', 'exec', space]


class Cluster:
    """Where the processes of a run are started."""

    def __init__(self, server, hosts, delay=0.0):
        self.server = server  # words before the daemon's command
        self.hosts = hosts    # (words before the agent's command, address of the server from there)
        self.delay = delay    # seconds that every message takes longer, each way

    def run(self, lab, settings, data, method=None, plain=None, step_seconds=0.0, timeout=900):
        """One run, as lab.run; each local step takes at least step_seconds."""
        chosen = {**settings, **((plain if lab.is_sabotaged else method) or {}), 'run/agents': len(self.hosts)}
        with tempfile.TemporaryDirectory() as sockets:  # a path short enough for a socket
            return self._run(lab.build, lab.directory(), f'ipc://{sockets}/control', chosen, data, step_seconds, timeout)

    def _run(self, build, directory, control, settings, data, step_seconds, timeout):
        processes = []

        def start(words, log):
            with open(f'{directory}/{log}.log', 'w', encoding='utf-8') as out:
                processes.append(subprocess.Popen([str(word) for word in words], stdout=out, stderr=out))

        try:
            words = self.server + [f'{build}/convened', '--set', 'listen/data=tcp://*:5550', '--set',
                                   f'listen/control={control}', '--set', 'security/insecure=true']
            if not self.server:  # this machine's own network
                words += ['--set', 'listen/data=tcp://127.0.0.1:*']
            for key in sorted(settings):
                words += ['--set', f'{key}={settings[key]}']
            start(words, 'server')
            status = self._wait(build, directory, control, processes, lambda answer: True, START_SECONDS)
            port = int(status['server']['data'].rsplit(':', 1)[1])
            if self.delay > 0:
                start([sys.executable, f'{HERE}/delay.py', '127.0.0.1', port, self.delay, f'{directory}/delay.port'], 'delay')
                port = _read_when_there(f'{directory}/delay.port')
            for k, (prefix, address) in enumerate(self.hosts, 1):
                start(prefix + [f'{build}/convene-agent', '--server', f'tcp://{address}:{port}', '--data', data, '--name',
                                f'host-{k}', '--shard', f'{k}/{len(self.hosts)}', '--set',
                                f'agent/step-seconds={step_seconds}'], f'agent-{k}')
            status = self._wait(build, directory, control, processes, lambda answer: answer['run']['state'] in ('finished', 'failed'),
                                timeout)
            if status['run']['state'] == 'failed':
                raise RuntimeError(f'the run failed: {status["run"]["reason"]}')
            with open(f'{directory}/rounds.csv', 'w', encoding='utf-8') as out:
                subprocess.run([f'{build}/convene', 'rounds', '--csv', '--control', control], stdout=out, check=True)
            with open(f'{directory}/run.json', 'w', encoding='utf-8') as out:
                json.dump({'final': status['run'], 'agents': status['agents']}, out)
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait()
        return Run(directory)

    @staticmethod
    def _wait(build, directory, control, processes, is_done, seconds):
        """The daemon's status once is_done(status) holds."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if processes[0].poll() is not None:
                raise RuntimeError(f'the daemon has ended: see {directory}/server.log')
            answer = subprocess.run([f'{build}/convene', 'status', '--json', '--control', control], capture_output=True,
                                    text=True, check=False)
            if answer.returncode == 0:
                status = json.loads(answer.stdout)['data']
                if is_done(status):
                    return status
            time.sleep(POLL_SECONDS)
        raise RuntimeError(f'the run takes longer than {seconds} s')


def _read_when_there(path):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if os.path.exists(path):
            with open(path, encoding='ascii') as text:
                return int(text.read())
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f'{path} does not come')


def delayed(agents, seconds):
    """Agents on this machine whose every message takes so long, each way."""
    return Cluster([], [([], '127.0.0.1')] * agents, seconds)
