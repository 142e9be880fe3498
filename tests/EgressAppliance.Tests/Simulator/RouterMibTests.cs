using System.Net;
using EgressAppliance.Simulator.Management;
using EgressAppliance.Simulator.Routing;
using EgressAppliance.Simulator.Traffic;
using EgressAppliance.Snmp;

namespace EgressAppliance.Tests.Simulator;

public class RouterMibTests
{
    private const string IfName = "1.3.6.1.2.1.31.1.1.1.1";
    private const string IfHCOutOctets = "1.3.6.1.2.1.31.1.1.1.10";
    private const string IfHighSpeed = "1.3.6.1.2.1.31.1.1.1.15";
    private const string IfOperStatus = "1.3.6.1.2.1.2.2.1.8";
    private const string SysUpTime = "1.3.6.1.2.1.1.3.0";

    [Fact]
    public async Task Agent_answers_names_speeds_states_and_the_octets_that_left()
    {
        SimulatedRouter router = ThreeProviders.Build([.. RealPrefixes.Load().Where((_, i) => i % 20 == 0)]);
        TrafficModel model = new(router, SurgeScenario.Once(TimeSpan.FromSeconds(10)));
        byte[] buffer = new byte[4096 * FrameWriter.SnapLength];
        SimulatedFrame[] frames = new SimulatedFrame[4096];
        while (model.Generate(TimeSpan.FromMilliseconds(100), buffer, frames) > 0)
        {
        }

        router.SetLinkUp(2, false);
        await using SnmpAgent agent = new(new(IPAddress.Loopback, 0), new Community("demo"), RouterMib.For(router, "edge1", TimeProvider.System));
        await using SnmpClient client = new(new() { Agent = agent.LocalEndPoint, Credentials = new Community("demo") });

        SnmpResult names = await client.WalkAsync(ObjectIdentifier.Parse(IfName));
        Assert.Equal(["mgmt0", "prov-a", "prov-b", "prov-c"], names.Bindings.Select(b => b.Value.TryGetText(out string text) ? text : ""));
        Assert.Equal([1u, 2, 3, 4], names.Bindings.Select(b => b.Name.Last));

        SnmpResult values = await client.GetAsync(
            [
                ObjectIdentifier.Parse(IfHighSpeed + ".2"), ObjectIdentifier.Parse(IfHCOutOctets + ".2"), ObjectIdentifier.Parse(IfHCOutOctets + ".3"),
                ObjectIdentifier.Parse(IfOperStatus + ".2"), ObjectIdentifier.Parse(IfOperStatus + ".4"), ObjectIdentifier.Parse(SysUpTime),
            ]);
        Assert.Equal(SnmpValue.Gauge32(400), values.Bindings[0].Value);
        Assert.Equal(SnmpValue.Counter64((ulong)router.Interface(0).OutOctets), values.Bindings[1].Value);
        Assert.Equal(SnmpValue.Counter64((ulong)router.Interface(1).OutOctets), values.Bindings[2].Value);
        Assert.True(router.Interface(0).OutOctets > 3_000_000);
        Assert.Equal(SnmpValue.Integer32(1), values.Bindings[3].Value);
        Assert.Equal(SnmpValue.Integer32(2), values.Bindings[4].Value);
        Assert.Equal(SnmpValueKind.TimeTicks, values.Bindings[5].Value.Kind);
    }
}
