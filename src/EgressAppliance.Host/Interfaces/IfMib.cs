using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Interfaces;

/// <summary>The variables read (RFC 3418, RFC 2863, IEEE8023-LAG-MIB).</summary>
public static class IfMib
{
    /// <summary>ifType of an aggregate (ieee8023adLag).</summary>
    public const int LagType = 161;

    /// <summary>sysUpTime.0: hundredths of a second since the agent started.</summary>
    public static ObjectIdentifier SysUpTime { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.1.3.0");

    /// <summary>ifType, by ifIndex.</summary>
    public static ObjectIdentifier IfType { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.2.2.1.3");

    /// <summary>ifOperStatus, by ifIndex.</summary>
    public static ObjectIdentifier IfOperStatus { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.2.2.1.8");

    /// <summary>ifInErrors, by ifIndex.</summary>
    public static ObjectIdentifier IfInErrors { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.2.2.1.14");

    /// <summary>ifOutOctets, by ifIndex: 32 bits, for agents without ifHCOutOctets.</summary>
    public static ObjectIdentifier IfOutOctets { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.2.2.1.16");

    /// <summary>ifOutDiscards, by ifIndex.</summary>
    public static ObjectIdentifier IfOutDiscards { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.2.2.1.19");

    /// <summary>ifOutErrors, by ifIndex.</summary>
    public static ObjectIdentifier IfOutErrors { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.2.2.1.20");

    /// <summary>ifName, by ifIndex.</summary>
    public static ObjectIdentifier IfName { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.31.1.1.1.1");

    /// <summary>ifHCOutOctets, by ifIndex: bytes sent, layer-2 header included.</summary>
    public static ObjectIdentifier IfHCOutOctets { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.31.1.1.1.10");

    /// <summary>ifHighSpeed, by ifIndex: Mbit/s, 0 if unknown.</summary>
    public static ObjectIdentifier IfHighSpeed { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.31.1.1.1.15");

    /// <summary>ifAlias, by ifIndex.</summary>
    public static ObjectIdentifier IfAlias { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.31.1.1.1.18");

    /// <summary>ifCounterDiscontinuityTime, by ifIndex: sysUpTime when the interface's counters last began anew.</summary>
    public static ObjectIdentifier IfCounterDiscontinuityTime { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.31.1.1.1.19");

    /// <summary>ifStackStatus, by ifIndex of the upper and of the lower interface.</summary>
    public static ObjectIdentifier IfStackStatus { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.31.1.2.1.3");

    /// <summary>dot3adAggPortAttachedAggID, by ifIndex of the member: ifIndex of its aggregate, 0 if it has none.</summary>
    public static ObjectIdentifier AttachedAggregate { get; } = ObjectIdentifier.Parse("1.2.840.10006.300.43.1.2.1.1.13");
}
