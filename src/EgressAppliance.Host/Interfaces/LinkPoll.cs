using EgressAppliance.Host.Config;
using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Interfaces;

/// <summary>What a poller remembers of one link. Belongs to the task that polls the router.</summary>
internal sealed class LinkPoll(LinkConfig config, TimeSpan poll)
{
    private readonly CounterHistory _history = new(poll);
    private readonly CapacityFilter _capacity = new();

    public LinkConfig Config => config;

    public uint? IfIndex { get; set; }

    public InterfaceState State { get; private set; } = new() { Link = config.Name, Router = config.Router, Interface = config.Interface };

    /// <summary>The number means another interface now, or the router restarted.</summary>
    public void Forget()
    {
        IfIndex = null;
        _history.Reset();
        _capacity.Reset();
        State = new InterfaceState { Link = config.Name, Router = config.Router, Interface = config.Interface, Error = State.Error };
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

    /// <summary>Takes the values of one answer.</summary>
    public void Take(ILogger logger, TimeSpan now, DateTimeOffset wallClock, SnmpValue highSpeed, SnmpValue outOctets, SnmpValue operStatus)
    {
        if (highSpeed.TryGetUnsigned(out ulong mbps))
        {
            _capacity.Add(mbps);
        }

        string? error = null;
        if (!outOctets.TryGetUnsigned(out ulong octets))
        {
            _history.Reset();
            error = $"{config.Interface} on {config.Router} has no ifHCOutOctets ({outOctets.Kind}): no 64-bit counters, or hidden by the community's view";
        }
        else if (_history.Add(now, octets, _capacity.Bps ?? config.CapacityBps) == CounterEvent.Discontinuity)
        {
            InterfaceLog.CounterWentBack(logger, config.Interface, config.Router, config.Name);
        }

        if (error is not null && error != State.Error)
        {
            InterfaceLog.InterfaceFailed(logger, config.Name, error);
        }

        OperStatus status = operStatus.TryGetInteger(out int number) && Enum.IsDefined((OperStatus)number) ? (OperStatus)number : OperStatus.Unknown;
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
            Error = error,
        };
    }
}
