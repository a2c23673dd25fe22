"""Customers of different kinds queue at the counters of a bank."""

import heapq
from collections import Counter, deque
from dataclasses import dataclass, field


@dataclass
class Customer:
    """Someone with a number of errands, arriving at a minute of the day."""

    number: int
    arrived: int
    patience: int = 60
    served: bool = False

    def minutes(self, clerk):
        return 4 + self.number % 3

    def waits_at(self, now):
        return now - self.arrived <= self.patience

    @property
    def priority(self):
        return 1


@dataclass
class Regular(Customer):
    visits: int = 12

    def minutes(self, clerk):
        return max(2, 5 - self.visits // 5)


@dataclass
class Business(Customer):
    coins: float = 150.0

    def minutes(self, clerk):
        return 6 + self.coins / 50 * clerk.slowness

    @property
    def priority(self):
        return 0


@dataclass
class Hurried(Customer):
    patience: int = 9

    def waits_at(self, now):
        return now < self.arrived + self.patience


@dataclass(order=True)
class Event:
    """Something that happens at a minute; the sequence keeps ties in order."""

    minute: float
    sequence: int
    happens: object = field(compare=False)


@dataclass
class Clerk:
    name: str
    slowness: float = 1
    busy: bool = False
    handled: int = 0


@dataclass
class Bank:
    clerks: list
    now: float = 0
    sequence: int = 0
    events: list = field(default_factory=list)
    queues: tuple = field(default_factory=lambda: (deque(), deque()))
    results: Counter = field(default_factory=Counter)
    waited: float = 0

    def schedule(self, minute, happens):
        self.sequence += 1
        heapq.heappush(self.events, Event(minute, self.sequence, happens))

    def arrive(self, customer):
        self.queues[customer.priority].append(customer)
        self.serve()

    def next_customer(self):
        for queue in self.queues:
            while queue:
                customer = queue.popleft()
                if customer.waits_at(self.now):
                    return customer
                self.results["left"] += 1
        return None

    def serve(self):
        """Give every idle clerk a customer, while there are any."""
        for clerk in self.clerks:
            if clerk.busy:
                continue
            customer = self.next_customer()
            if customer is None:
                return
            clerk.busy = True
            self.waited += self.now - customer.arrived
            self.schedule(self.now + customer.minutes(clerk), lambda c=clerk, who=customer: self.finish(c, who))

    def finish(self, clerk, customer):
        clerk.busy = False
        clerk.handled += 1
        customer.served = True
        self.results[type(customer).__name__] += 1
        self.serve()

    def run(self):
        while self.events:
            event = heapq.heappop(self.events)
            self.now = event.minute
            event.happens()


def customers(count):
    """The same customers every day: mostly walk-ins, a few of each other kind."""
    kinds = (Customer, Regular, Customer, Hurried, Regular, Business, Customer)
    for number in range(count):
        yield kinds[number * 5 % 7](number, number * 3 // 2)


# bytecost: day(2000)
def day(count):
    """Run one day; the counts by outcome and the average wait in minutes."""
    bank = Bank([Clerk("Ada"), Clerk("Bo", 1.5), Clerk("Cy", 2)])
    for customer in customers(count):
        bank.schedule(customer.arrived, lambda who=customer: bank.arrive(who))
    bank.run()
    served = sum(clerk.handled for clerk in bank.clerks)
    return bank.results, bank.waited / served


def main():
    results, wait = day(2000)
    for outcome, count in sorted(results.items()):
        print(f"{outcome:10} {count:4}")
    print(f"average wait {wait:.2f} minutes")


if __name__ == "__main__":
    main()
