"""The outer planets: a symplectic n-body integrator, in plain objects and floats."""

import math

SOLAR_MASS = 4 * math.pi**2
DAYS = 365.24


class Body:
    """A point mass; distances in astronomical units, velocities per year."""

    def __init__(self, name, position, velocity, mass):
        self.name = name
        self.x, self.y, self.z = position
        self.vx, self.vy, self.vz = (v * DAYS for v in velocity)
        self.mass = mass * SOLAR_MASS

    def kinetic(self):
        return 0.5 * self.mass * (self.vx**2 + self.vy**2 + self.vz**2)


def make_bodies():
    """The sun and the four gas giants, with the sun moving so that the whole is at rest."""
    bodies = [
        Body("sun", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 1),
        Body(
            "jupiter",
            (4.84143144246472090, -1.16032004402742839, -0.103622044471123109),
            (0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023),
            0.000954791938424326609,
        ),
        Body(
            "saturn",
            (8.34336671824457987, 4.12479856412430479, -0.403523417114321381),
            (-0.00276742510726411020, 0.00499852801234917238, 0.0000230417297573763929),
            0.000285885980666130812,
        ),
        Body(
            "uranus",
            (12.8943695621391310, -15.1111514016986312, -0.223307578892655734),
            (0.00296460137564761618, 0.00237847173959480950, -0.0000296589568540237556),
            0.0000436624404335156298,
        ),
        Body(
            "neptune",
            (15.3796971148509165, -25.9193146099879641, 0.179258772950371181),
            (0.00268067772490389322, 0.00162824170038242295, -0.0000951592254519715870),
            0.0000515138902046611451,
        ),
    ]
    sun = bodies[0]
    for axis in ("vx", "vy", "vz"):
        momentum = sum(getattr(body, axis) * body.mass for body in bodies)
        setattr(sun, axis, -momentum / sun.mass)
    return bodies


def energy(bodies):
    """Kinetic and potential energy together: it should stay what it was."""
    total = 0
    for i, one in enumerate(bodies):
        total += one.kinetic()
        for other in bodies[i + 1 :]:
            distance = math.dist((one.x, one.y, one.z), (other.x, other.y, other.z))
            total -= one.mass * other.mass / distance
    return total


def pairs(bodies):
    return [(one, other) for i, one in enumerate(bodies) for other in bodies[i + 1 :]]


# bytecost: advance(make_bodies(), 1000)
def advance(bodies, steps, dt=0.01):
    """Move all bodies on by `steps` steps of `dt` years."""
    interacting = pairs(bodies)
    for _ in range(steps):
        for one, other in interacting:
            dx = one.x - other.x
            dy = one.y - other.y
            dz = one.z - other.z
            square = dx * dx + dy * dy + dz * dz
            magnitude = dt / (square * math.sqrt(square))
            pull = other.mass * magnitude
            one.vx -= dx * pull
            one.vy -= dy * pull
            one.vz -= dz * pull
            push = one.mass * magnitude
            other.vx += dx * push
            other.vy += dy * push
            other.vz += dz * push
        for body in bodies:
            body.x += dt * body.vx
            body.y += dt * body.vy
            body.z += dt * body.vz


def main():
    bodies = make_bodies()
    before = energy(bodies)
    advance(bodies, 1000)
    after = energy(bodies)
    print(f"energy before {before:.9f}")
    print(f"energy after  {after:.9f}")
    assert math.isclose(before, after, rel_tol=1e-3)


if __name__ == "__main__":
    main()
