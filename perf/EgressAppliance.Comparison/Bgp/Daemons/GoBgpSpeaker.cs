using System.Text.Json;
using EgressAppliance.Comparison.Bgp.Feed;
using EgressAppliance.Comparison.Bgp.Lab;
using EgressAppliance.Comparison.Running;

namespace EgressAppliance.Comparison.Bgp.Daemons;

/// <summary>GoBGP.</summary>
internal sealed class GoBgpSpeaker : Speaker
{
    public GoBgpSpeaker(bool addPath)
    {
        string receive = addPath ? "true" : "false";
        string file = Write("gobgpd.toml", $"""
            [global.config]
              as = {FeedOptions.ReceiverAs}
              router-id = "{BgpLab.SpeakerAddress}"
              local-address-list = ["{BgpLab.SpeakerAddress}"]
            [[neighbors]]
              [neighbors.config]
                neighbor-address = "{BgpLab.RouterAddress(0)}"
                peer-as = {FeedOptions.ExternalAs}
              [neighbors.transport.config]
                passive-mode = true
              [neighbors.timers.config]
                hold-time = 3600
                idle-hold-time-after-reset = 1
              [[neighbors.afi-safis]]
                [neighbors.afi-safis.config]
                  afi-safi-name = "ipv4-unicast"
                [neighbors.afi-safis.add-paths.config]
                  receive = {receive}
              [[neighbors.afi-safis]]
                [neighbors.afi-safis.config]
                  afi-safi-name = "ipv6-unicast"
                [neighbors.afi-safis.add-paths.config]
                  receive = {receive}

            """);
        Run(["gobgpd", "-f", file, "--log-level", "error", "--pprof-disable", "--disable-stdlog"]);
        WaitUntilReady();
    }

    /// <inheritdoc/>
    protected override TimeSpan Interval => TimeSpan.FromSeconds(3);

    /// <inheritdoc/>
    public override long CountRoutes()
    {
        using JsonDocument json = JsonDocument.Parse(Lab.Ask("gobgp", "neighbor", BgpLab.RouterAddress(0).ToString(), "-j"));
        if (!json.RootElement.TryGetProperty("afi_safis", out JsonElement families))
        {
            throw new ComparisonException("gobgp: no families");
        }

        long routes = 0;
        foreach (JsonElement family in families.EnumerateArray())
        {
            routes += family.TryGetProperty("state", out JsonElement state) && state.TryGetProperty("accepted", out JsonElement accepted)
                ? long.Parse(accepted.ToString())
                : 0;
        }

        return routes;
    }
}
