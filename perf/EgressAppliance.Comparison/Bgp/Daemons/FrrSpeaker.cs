using System.Text.Json;
using EgressAppliance.Comparison.Bgp.Feed;
using EgressAppliance.Comparison.Bgp.Lab;
using EgressAppliance.Comparison.Running;

namespace EgressAppliance.Comparison.Bgp.Daemons;

/// <summary>FRR's bgpd alone: without zebra (-Z) and without installing routes (-n).</summary>
internal sealed class FrrSpeaker : Speaker
{
    private readonly string _sockets;

    public FrrSpeaker()
    {
        // bgpd gives up root for its own user, and must still reach these.
        _sockets = Path.Combine(Lab.Folder, "vty");
        Directory.CreateDirectory(_sockets);
        string router = BgpLab.RouterAddress(0).ToString();
        string file = Write("bgpd.conf", $"""
            router bgp {FeedOptions.ReceiverAs}
             bgp router-id {BgpLab.SpeakerAddress}
             no bgp default ipv4-unicast
             no bgp ebgp-requires-policy
             neighbor {router} remote-as {FeedOptions.ExternalAs}
             neighbor {router} passive
             neighbor {router} timers 1200 3600
             address-family ipv4 unicast
              neighbor {router} activate
             address-family ipv6 unicast
              neighbor {router} activate

            """);
        ProcessRun.Run("chown", "-R", "frr:frr", Lab.Folder);
        Run(["/usr/lib/frr/bgpd", "-n", "-Z", "-f", file, "-i", Path.Combine(Lab.Folder, "bgpd.pid"), "--vty_socket", _sockets, "-l", BgpLab.SpeakerAddress.ToString()]);
        WaitUntilReady();
    }

    /// <inheritdoc/>
    protected override TimeSpan Interval => TimeSpan.FromMilliseconds(250);

    /// <inheritdoc/>
    public override long CountRoutes()
    {
        // With no session there is no summary of a family.
        using JsonDocument json = JsonDocument.Parse(Lab.Ask("vtysh", "--vty_socket", _sockets, "-d", "bgpd", "-c", "show bgp summary json"));
        long routes = 0;
        foreach (JsonProperty family in json.RootElement.EnumerateObject())
        {
            if (family.Value.TryGetProperty("peers", out JsonElement peers))
            {
                routes += peers.EnumerateObject().Sum(peer => peer.Value.GetProperty("pfxRcd").GetInt64());
            }
        }

        return routes;
    }
}
