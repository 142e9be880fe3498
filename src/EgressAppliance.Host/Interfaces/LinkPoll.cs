using EgressAppliance.Host.Config;
using EgressAppliance.Net;
using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Interfaces;

/// <summary>What a poller remembers of one link. Belongs to the task that polls the router.</summary>
internal sealed class LinkPoll(LinkConfig config, TimeSpan poll)
{
    /// <summary>Variables of <see cref="Names"/>.</summary>
    public const int Variables = 8;

    private readonly CounterHistory _history = new(poll);
    private readonly CapacityFilter _capacity = new();
    private readonly EventCount _inErrors = new();
    private readonly EventCount _outErrors = new();
    private readonly EventCount _outDiscards = new();
    private readonly Dictionary<IpAddr, MacAddress[]> _neighbours = [];
    private ulong? _discontinuity;
    private string? _identity;
    private bool _narrow;
    private bool _noCounter;

    public LinkConfig Config => config;

    public InterfaceSelector Selector { get; } = InterfaceSelector.Parse(config.Interface);

    public uint? IfIndex { get; private set; }

    /// <summary>ifIndex of the members of an aggregate; empty if it is none.</summary>
    public uint[] Members { get; set; } = [];

    /// <summary>What the members that are up carry together, Mbit/s, and their number; null if there are none or they were not read.</summary>
    public (ulong Mbps, int Up)? Carried { get; set; }

    public InterfaceState State { get; private set; } = new()
    {
        Link = config.Name,
        Router = config.Router,
        Interface = config.Interface,
        MatchProblem = config.FindsMac ? $"{config.Router} has not been asked yet" : null,
    };

    /// <summary>The interface is found by its neighbours, and in the last poll it had none of them.</summary>
    public bool IsDeserted { get; private set; }

    /// <summary>The interface was found.</summary>
    /// <param name="index">Its ifIndex.</param>
    /// <param name="name">Its ifName.</param>
    public void Found(uint index, string name)
    {
        IfIndex = index;
        _identity = Selector.Key is InterfaceKey.Index or InterfaceKey.NextHop ? name : Selector.Text;
        Members = [];
        IsDeserted = false;
        if (Selector.Key == InterfaceKey.NextHop)
        {
            State = State with { Interface = name };
        }
    }

    /// <summary>
    /// Takes what the router has of the next hops on this interface. What was known of one that is not there stays: rows age where there is nothing to send, and
    /// the router would send to the same address again.
    /// </summary>
    public void TakeNeighbours(ILogger logger, NeighbourTable table)
    {
        int present = 0;
        foreach (IpAddr hop in config.NextHops)
        {
            // The two tables of an agent may differ for a while after a change: frames to either address are the provider's.
            MacAddress[] macs = [.. table.Of(hop).Where(n => n.Interface == IfIndex).Select(n => n.Mac).Distinct().OrderBy(m => m.Value)];
            if (macs.Length == 0)
            {
                continue;
            }

            present++;
            MacAddress[] before = _neighbours.GetValueOrDefault(hop, []);
            if (!macs.AsSpan().SequenceEqual(before))
            {
                if (before.Length == 0)
                {
                    InterfaceLog.NeighbourFound(logger, config.Name, hop, string.Join(" and ", macs));
                }
                else
                {
                    InterfaceLog.NeighbourChanged(logger, config.Name, hop, string.Join(" and ", macs), string.Join(" and ", before));
                }

                _neighbours[hop] = macs;
            }
        }

        IsDeserted = present == 0 && Selector.Key == InterfaceKey.NextHop;
        State = State with
        {
            Macs = [.. _neighbours.Values.SelectMany(m => m).Distinct().OrderBy(m => m.Value)],
            MatchProblem = _neighbours.Count > 0 ? null
                : $"{string.Join(", ", config.NextHops)} is not among the neighbours of {config.Router} on {State.Interface}: ping it from the router, have 1.3.6.1.2.1.4 in the view, or give links[].match",
        };
    }

    /// <summary>The number means another interface now, or the router restarted.</summary>
    public void Forget()
    {
        IfIndex = null;
        Members = [];
        Carried = null;
        _narrow = _noCounter = false;
        _history.Reset();
        _capacity.Reset();
        _discontinuity = null;
        foreach (EventCount count in new[] { _inErrors, _outErrors, _outDiscards })
        {
            count.Break();
        }

        // The MAC addresses are the provider's: another ifIndex, or a restart of the router, does not change them.
        State = new InterfaceState
        {
            Link = config.Name,
            Router = config.Router,
            Interface = State.Interface,
            Error = State.Error,
            Macs = State.Macs,
            MatchProblem = State.MatchProblem,
        };
    }

    /// <summary>There is no such interface.</summary>
    public void Fail(ILogger logger, string reason)
    {
        if (State.Error != reason)
        {
            InterfaceLog.InterfaceFailed(logger, config.Name, reason);
        }

        State = State with { Error = reason };
    }

    /// <summary>What to ask: what the interface is known by first, as proof that the number still means it.</summary>
    public ObjectIdentifier[] Names()
    {
        uint index = IfIndex!.Value;
        return
        [
            (Selector.Key == InterfaceKey.Alias ? IfMib.IfAlias : IfMib.IfName).Append(index), IfMib.IfHighSpeed.Append(index),
            (_narrow ? IfMib.IfOutOctets : IfMib.IfHCOutOctets).Append(index), IfMib.IfOperStatus.Append(index), IfMib.IfCounterDiscontinuityTime.Append(index),
            IfMib.IfInErrors.Append(index), IfMib.IfOutErrors.Append(index), IfMib.IfOutDiscards.Append(index),
        ];
    }

    /// <summary>True if the first of the values says that it is still this interface.</summary>
    public bool IsStill(SnmpValue identity) => identity.TryGetText(out string text) && text == _identity;

    /// <summary>Takes the values of <see cref="Names"/>.</summary>
    public void Take(ILogger logger, TimeSpan now, DateTimeOffset wallClock, ReadOnlySpan<SnmpValue> values)
    {
        if (Members.Length > 0)
        {
            // Of an aggregate without any member up, or whose members could not be read, the last capacity stays.
            if (Carried is { Mbps: > 0 } carried)
            {
                _capacity.Add(now, carried.Mbps);
            }
        }
        else if (values[1].TryGetUnsigned(out ulong mbps))
        {
            _capacity.Add(now, mbps);
        }

        if (values[4].TryGetUnsigned(out ulong since))
        {
            if (_discontinuity is { } before && before != since)
            {
                InterfaceLog.CounterWentBack(logger, State.Interface, config.Router, config.Name);
                _history.Reset();
            }

            _discontinuity = since;
        }

        string? error = TakeOctets(logger, now, values[2]);
        if (error is not null && error != State.Error)
        {
            InterfaceLog.InterfaceFailed(logger, config.Name, error);
        }

        Count(_inErrors, values[5]);
        Count(_outErrors, values[6]);
        Count(_outDiscards, values[7]);
        OperStatus status = values[3].TryGetInteger(out int number) && Enum.IsDefined((OperStatus)number) ? (OperStatus)number : OperStatus.Unknown;
        if (status != State.OperStatus)
        {
            InterfaceLog.OperStatusChanged(logger, config.Name, status, State.OperStatus);
        }

        State = State with
        {
            IfIndex = IfIndex,
            OperStatus = status,
            CapacityBps = _capacity.Bps,
            OutBps = _history.RateBps(now),
            LastPoll = wallClock,
            CounterAge = now - _history.LastChange,
            MembersUp = Carried?.Up,
            Members = Members.Length > 0 ? Members.Length : null,
            InErrors = _inErrors.Total,
            OutErrors = _outErrors.Total,
            OutDiscards = _outDiscards.Total,
            Error = error,
        };
    }

    /// <summary>Takes the counter; returns what is wrong with it.</summary>
    private string? TakeOctets(ILogger logger, TimeSpan now, SnmpValue value)
    {
        if (!value.TryGetUnsigned(out ulong octets))
        {
            _history.Reset();
            bool first = !_narrow && !_noCounter;
            _noCounter |= _narrow;
            _narrow = !_narrow;
            return first
                ? $"{State.Interface} on {config.Router} has no ifHCOutOctets ({value.Kind}): no 64-bit counters, or hidden by the view; ifOutOctets is tried"
                : $"{State.Interface} on {config.Router} has neither ifHCOutOctets nor ifOutOctets: no counters, or hidden by the view";
        }

        _noCounter = false;
        long? capacity = _capacity.Bps ?? config.CapacityBps;
        if (_narrow && (capacity is not { } most || !CounterHistory.CanFollow(poll, most)))
        {
            _history.Reset();
            return capacity is null
                ? $"{State.Interface} on {config.Router} has 32-bit counters only, and its capacity is not known: no rate; set links[].capacity"
                : $"{State.Interface} on {config.Router} has 32-bit counters only, which come around too often to be read every {poll.TotalSeconds:0.#} s at its capacity: "
                    + $"no rate; set the router's snmp.poll to {Math.Max(1, (int)(uint.MaxValue / 2.0 * 8 / capacity.Value))}s or less, or have 64-bit counters shown";
        }

        if (_history.Add(now, octets, capacity, _narrow) == CounterEvent.Discontinuity)
        {
            InterfaceLog.CounterWentBack(logger, State.Interface, config.Router, config.Name);
        }

        return null;
    }

    private static void Count(EventCount count, SnmpValue value)
    {
        if (value.TryGetUnsigned(out ulong number))
        {
            count.Add((uint)number);
        }
    }
}
