using System.Net;
using EgressAppliance.Simulator.Management;
using EgressAppliance.Simulator.Peering;
using EgressAppliance.Simulator.Routing;
using EgressAppliance.Simulator.Traffic;
using EgressAppliance.Snmp;

namespace EgressAppliance.Simulator;

/// <summary>
/// A whole simulated site on loopback: the router with its three providers, its BGP listener, its SNMP agent, and the traffic. Nothing here
/// knows the appliance; it meets it over TCP, UDP and frames only, as a real router does.
/// </summary>
public sealed class SimulatedNetwork : IAsyncDisposable
{
    /// <summary>SNMP community of the router.</summary>
    public const string Community = "demo";

    /// <summary>Binds free ports on loopback and starts to answer; traffic begins when frames are asked for.</summary>
    /// <param name="scenario">The story.</param>
    /// <param name="seed">Decides paths, popularity and frames.</param>
    /// <param name="time">Clock of timers and of sysUpTime.</param>
    public SimulatedNetwork(SurgeScenario scenario, ulong seed = 1, TimeProvider? time = null)
    {
        TimeProvider clock = time ?? TimeProvider.System;
        Router = ThreeProviders.Build(RealPrefixes.Load(), seed: seed);
        Traffic = new(Router, scenario, seed);
        Bgp = new(Router, time: clock);
        Agent = new(new(IPAddress.Loopback, 0), new Community(Community), RouterMib.For(Router, ThreeProviders.RouterName, clock));
    }

    /// <summary>The router.</summary>
    public SimulatedRouter Router { get; }

    /// <summary>Its traffic.</summary>
    public TrafficModel Traffic { get; }

    /// <summary>Its BGP listener.</summary>
    public RouterBgpServer Bgp { get; }

    /// <summary>Its SNMP agent.</summary>
    public SnmpAgent Agent { get; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Bgp.DisposeAsync().ConfigureAwait(false);
        await Agent.DisposeAsync().ConfigureAwait(false);
    }
}
