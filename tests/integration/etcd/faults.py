"""What befalls members of an etcd and registries on it, one thing at a time."""

import collections
import itertools
import os
import random
import signal
import time

# Between two faults, and how long each lasts: long enough for elections, and for calls to be caught in the midst.
PAUSE_SECONDS = (0.5, 2.5)
FAULT_SECONDS = (0.3, 3.0)
# For longer than a registry waits for etcd, so that it has to say that it does not know.
LONG_SECONDS = (5, 8)


class Faults:
    """Each of `kinds` comes once, in an order drawn from a seed, before any comes again."""

    def __init__(self, cluster, registries, seed):
        self.cluster = cluster
        self.registries = registries
        self.random = random.Random(seed)
        self.counts = collections.Counter()
        self.deck = []

    def kinds(self):
        raise NotImplementedError

    def one(self):
        if not self.deck:
            self.deck = self.kinds()
            self.random.shuffle(self.deck)
        kind = self.deck.pop()
        kind()
        self.counts[kind.__name__.replace("_", " ")] += 1

    def wait(self, bounds=PAUSE_SECONDS):
        time.sleep(self.random.uniform(*bounds))

    def follower(self):
        leader = self.cluster.leader()
        return self.random.choice([member for member in self.cluster.members if member is not leader])

    def registry(self):
        return self.random.choice(self.registries)


class Kills(Faults):
    """Processes end, or stop for a while."""

    def kinds(self):
        return [self.leader_killed, self.follower_killed, self.leader_stopped, self.follower_stopped, self.registry_killed,
                self.registry_stopped, self.all_members_killed, self.leader_and_registry_killed]

    def killed(self, members):
        for member in members:
            self.cluster.kill(member)
        self.wait(FAULT_SECONDS)
        for member in members:
            self.cluster.start(member)

    def stopped(self, process):
        os.kill(process.pid, signal.SIGSTOP)
        self.wait(FAULT_SECONDS)
        os.kill(process.pid, signal.SIGCONT)

    def leader_killed(self):
        self.killed([self.cluster.leader()])

    def follower_killed(self):
        self.killed([self.follower()])

    def all_members_killed(self):
        self.killed(self.cluster.members)

    def leader_stopped(self):
        self.stopped(self.cluster.leader().process)

    def follower_stopped(self):
        self.stopped(self.follower().process)

    def registry_stopped(self):
        self.stopped(self.registry().process)

    def registry_killed(self):
        registry = self.registry()
        registry.kill()
        self.wait(FAULT_SECONDS)
        registry.start()

    def leader_and_registry_killed(self):
        leader = self.cluster.leader()
        registry = self.registry()
        self.cluster.kill(leader)
        registry.kill()
        self.wait(FAULT_SECONDS)
        self.cluster.start(leader)
        registry.start()


def one_way(sources, targets):
    return [(source.name, target.name) for source in sources for target in targets]


def both_ways(these, those):
    return one_way(these, those) + one_way(those, these)


class Partitions(Faults):
    """Processes run, and what they say to each other does not arrive. The cluster has `links`, which the registries have joined."""

    def kinds(self):
        return [self.leader_cut_off_from_members, self.follower_cut_off_from_members, self.leader_is_not_heard, self.leader_hears_nothing,
                self.leader_cut_off_from_one_follower, self.registry_cut_off_from_leader, self.registry_cut_off_from_all_members,
                self.registry_hears_no_answers, self.registry_is_not_heard, self.leader_and_registry_cut_off_together,
                self.leader_cut_off_again_and_again, self.all_links_slow, self.follower_cut_off_and_leader_killed]

    def parted(self, pairs, seconds=None):
        self.cluster.links.cut(pairs)
        self.wait(seconds or self.random.choice([FAULT_SECONDS] * 3 + [LONG_SECONDS]))
        self.heal()

    def heal(self):
        # What was held arrives late, or never does.
        self.cluster.links.heal(reset=self.random.random() < 0.5)

    def others(self, *these):
        return [member for member in self.cluster.members if member not in these]

    def leader_cut_off_from_members(self):
        leader = self.cluster.leader()
        self.parted(both_ways([leader], self.others(leader)))

    def follower_cut_off_from_members(self):
        follower = self.follower()
        self.parted(both_ways([follower], self.others(follower)))

    def leader_is_not_heard(self):
        leader = self.cluster.leader()
        self.parted(one_way([leader], self.others(leader)))

    def leader_hears_nothing(self):
        leader = self.cluster.leader()
        self.parted(one_way(self.others(leader), [leader]))

    def leader_cut_off_from_one_follower(self):
        leader = self.cluster.leader()
        self.parted(both_ways([leader], self.others(leader)[:1]))

    def registry_cut_off_from_leader(self):
        self.parted(both_ways([self.registry()], [self.cluster.leader()]))

    def registry_cut_off_from_all_members(self):
        self.parted(both_ways([self.registry()], self.cluster.members))

    def registry_hears_no_answers(self):
        self.parted(one_way(self.cluster.members, [self.registry()]), LONG_SECONDS)

    def registry_is_not_heard(self):
        self.parted(one_way([self.registry()], self.cluster.members))

    def leader_and_registry_cut_off_together(self):
        leader, registry = self.cluster.leader(), self.registry()
        there = [each for each in self.registries if each is not registry]
        self.parted(both_ways([leader], self.others(leader) + there) + both_ways([registry], self.others(leader)))

    def leader_cut_off_again_and_again(self):
        leader = self.cluster.leader()
        for _ in range(5):
            self.cluster.links.cut(both_ways([leader], self.others(leader)))
            self.wait((0.1, 0.8))
            self.heal()
            self.wait((0.1, 0.4))

    def all_links_slow(self):
        everybody = [*self.cluster.members, *self.registries]
        self.cluster.links.slow([(a.name, b.name) for a, b in itertools.permutations(everybody, 2)], self.random.uniform(0.02, 0.15))
        self.wait(FAULT_SECONDS)
        self.heal()

    def follower_cut_off_and_leader_killed(self):
        follower, leader = self.follower(), self.cluster.leader()
        self.cluster.links.cut(both_ways([follower], self.others(follower)))
        self.cluster.kill(leader)
        self.wait(FAULT_SECONDS)
        self.cluster.start(leader)
        self.heal()


KINDS = {"kills": Kills, "partitions": Partitions}
