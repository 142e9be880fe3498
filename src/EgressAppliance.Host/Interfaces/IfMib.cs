using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Interfaces;

/// <summary>The variables read (RFC 3418, RFC 2863).</summary>
public static class IfMib
{
    /// <summary>sysUpTime.0: hundredths of a second since the agent started.</summary>
    public static ObjectIdentifier SysUpTime { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.1.3.0");

    /// <summary>ifOperStatus, by ifIndex.</summary>
    public static ObjectIdentifier IfOperStatus { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.2.2.1.8");

    /// <summary>ifName, by ifIndex.</summary>
    public static ObjectIdentifier IfName { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.31.1.1.1.1");

    /// <summary>ifHCOutOctets, by ifIndex: bytes sent, layer-2 header included.</summary>
    public static ObjectIdentifier IfHCOutOctets { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.31.1.1.1.10");

    /// <summary>ifHighSpeed, by ifIndex: Mbit/s, 0 if unknown.</summary>
    public static ObjectIdentifier IfHighSpeed { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.31.1.1.1.15");
}
