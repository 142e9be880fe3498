using EgressAppliance.Simulator.Routing;
using EgressAppliance.Snmp;

namespace EgressAppliance.Simulator.Management;

/// <summary>
/// What the router's SNMP agent serves: system (sysUpTime, sysName), and of IF-MIB (RFC 2863) ifIndex, ifDescr, ifSpeed, ifOperStatus,
/// ifName, ifHCInOctets (always 0), ifHCOutOctets, ifHighSpeed and ifCounterDiscontinuityTime for the management port and every provider port. Values are read when they are asked for.
/// </summary>
public static class RouterMib
{
    /// <summary>ifIndex of the management port.</summary>
    public const int ManagementIndex = 1;

    /// <summary>ifName of the management port.</summary>
    public const string ManagementName = "mgmt0";

    private static readonly ObjectIdentifier System = ObjectIdentifier.Parse("1.3.6.1.2.1.1");
    private static readonly ObjectIdentifier IfEntry = ObjectIdentifier.Parse("1.3.6.1.2.1.2.2.1");
    private static readonly ObjectIdentifier IfXEntry = ObjectIdentifier.Parse("1.3.6.1.2.1.31.1.1.1");

    /// <summary>The view of a router; its up-time counts from now.</summary>
    public static IMibView For(SimulatedRouter router, string name, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(router);
        ArgumentNullException.ThrowIfNull(time);
        MibTable mib = new();
        long start = time.GetTimestamp();
        mib.Set(System.Append(3, 0), () => SnmpValue.TimeTicks((uint)(long)(time.GetElapsedTime(start).TotalMilliseconds / 10)));
        mib.Set(System.Append(5, 0), SnmpValue.OctetString(name));
        AddPort(mib, ManagementIndex, ManagementName, 1_000_000_000, () => true, () => 0);
        for (int i = 0; i < router.Links.Count; i++)
        {
            int link = i;
            SimulatedLinkOptions options = router.Links[link];
            AddPort(
                mib, options.InterfaceIndex, options.Interface, options.CapacityBps, () => router.IsLinkUp(link), () => router.Interface(link).OutOctets);
        }

        return mib;
    }

    private static void AddPort(MibTable mib, int index, string name, long speedBps, Func<bool> up, Func<long> outOctets)
    {
        uint row = (uint)index;
        mib.Set(IfEntry.Append(1, row), SnmpValue.Integer32(index));
        mib.Set(IfEntry.Append(2, row), SnmpValue.OctetString(name));
        mib.Set(IfEntry.Append(5, row), SnmpValue.Gauge32((uint)Math.Min(speedBps, uint.MaxValue)));
        mib.Set(IfEntry.Append(8, row), () => SnmpValue.Integer32(up() ? 1 : 2));
        mib.Set(IfXEntry.Append(1, row), SnmpValue.OctetString(name));
        mib.Set(IfXEntry.Append(6, row), SnmpValue.Counter64(0));
        mib.Set(IfXEntry.Append(10, row), () => SnmpValue.Counter64((ulong)outOctets()));
        mib.Set(IfXEntry.Append(15, row), SnmpValue.Gauge32((uint)(speedBps / 1_000_000)));
        mib.Set(IfXEntry.Append(19, row), SnmpValue.TimeTicks(0));
    }
}
