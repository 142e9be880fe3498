namespace EgressAppliance.Simulator.ClosedLoop;

/// <summary>
/// What one writes in an afternoon, and what several products amount to: a link whose counter is above its threshold gives prefixes away, largest first, each
/// to the emptiest other link, until the threshold is kept; a link below its release level takes a prefix back, the largest that fits under it, one a cycle. It
/// plans on the load that it observes, so its own moves are among its inputs. No straw man: it never fills a link above the threshold by what it knows.
/// </summary>
public sealed class GreedyController : IContestant
{
    private readonly TrafficWorld _world;
    private readonly EdgeRouter _router;
    private readonly int _cycle;
    private readonly double[] _load;
    private readonly double[] _rate;
    private int _seconds;

    /// <summary>A controller of a router.</summary>
    /// <param name="world">The truth.</param>
    /// <param name="router">The router, of which it is announcer 0.</param>
    /// <param name="cycle">Its cycle, whole seconds.</param>
    public GreedyController(TrafficWorld world, EdgeRouter router, TimeSpan cycle)
    {
        ArgumentNullException.ThrowIfNull(world);
        ArgumentNullException.ThrowIfNull(router);
        _world = world;
        _router = router;
        _cycle = (int)cycle.TotalSeconds;
        _load = new double[world.LinkUp.Length];
        _rate = new double[world.Rate.Length];
    }

    /// <inheritdoc/>
    public void Step()
    {
        for (int l = 0; l < _load.Length; l++)
        {
            _load[l] += _router.Load[l] * (_world.Find(ScenarioEventKind.CounterLies, link: l)?.Value ?? 1);
        }

        for (int i = 0; i < _rate.Length; i++)
        {
            _rate[i] += _world.Rate[i];
        }

        if (++_seconds < _cycle)
        {
            return;
        }

        double[] load = [.. _load.Select(sum => sum / _seconds)];
        for (int l = 0; l < load.Length; l++)
        {
            ScenarioLink link = _world.Scenario.Links[l];
            if (load[l] > link.CapacityBps * link.Threshold)
            {
                Relieve(l, load);
            }
            else if (load[l] < link.CapacityBps * link.Release)
            {
                GiveBack(l, load[l]);
            }
        }

        Array.Clear(_load);
        Array.Clear(_rate);
        _seconds = 0;
    }

    private void Relieve(int link, double[] load)
    {
        int[] largest = [.. Enumerable.Range(0, _rate.Length).Where(i => _router.LinkOf(i) == link).OrderByDescending(i => _rate[i]).ThenBy(i => i)];
        foreach (int prefix in largest)
        {
            if (load[link] <= Threshold(link))
            {
                return;
            }

            double rate = _rate[prefix] / _seconds;
            int best = -1;
            foreach (int other in _world.Paths[prefix])
            {
                if (other != link && load[other] + rate <= Threshold(other) && (best < 0 || Room(other) > Room(best)))
                {
                    best = other;
                }
            }

            if (best < 0)
            {
                continue;
            }

            load[link] -= rate;
            load[best] += rate;
            if (best == _world.Paths[prefix][0])
            {
                _router.Withdraw(0, prefix);
            }
            else
            {
                _router.Announce(0, prefix, best);
            }
        }

        double Room(int other) => Threshold(other) - load[other];
    }

    private void GiveBack(int link, double load)
    {
        double room = (_world.Scenario.Links[link].CapacityBps * _world.Scenario.Links[link].Release) - load;
        int prefix = -1;
        foreach (int candidate in _router.OverridesOf(0).Keys)
        {
            if (_world.Paths[candidate] is [var native, ..] && native == link && _rate[candidate] / _seconds <= room && (prefix < 0 || _rate[candidate] > _rate[prefix]))
            {
                prefix = candidate;
            }
        }

        if (prefix >= 0)
        {
            _router.Withdraw(0, prefix);
        }
    }

    private double Threshold(int link) => _world.Scenario.Links[link].CapacityBps * _world.Scenario.Links[link].Threshold;
}
