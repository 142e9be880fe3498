using System.Globalization;
using System.Text.RegularExpressions;
using EgressAppliance.Comparison.Bgp.Feed;
using EgressAppliance.Comparison.Bgp.Lab;

namespace EgressAppliance.Comparison.Bgp.Daemons;

/// <summary>BIRD: imports everything into its tables, exports nothing, no kernel.</summary>
internal sealed partial class BirdSpeaker : Speaker
{
    private readonly string _control;

    public BirdSpeaker()
    {
        _control = Path.Combine(Lab.Folder, "bird.ctl");
        string file = Write("bird.conf", $$"""
            router id {{BgpLab.SpeakerAddress}};
            protocol device { }
            protocol bgp router0 {
              local {{BgpLab.SpeakerAddress}} as {{FeedOptions.ReceiverAs}};
              neighbor {{BgpLab.RouterAddress(0)}} as {{FeedOptions.ExternalAs}};
              passive on;
              hold time 3600;
              error wait time 1, 1;
              ipv4 { import all; export none; add paths rx; };
              ipv6 { import all; export none; add paths rx; };
            }

            """);
        Run(["bird", "-f", "-c", file, "-s", _control, "-P", Path.Combine(Lab.Folder, "bird.pid")]);
        WaitUntilReady();
    }

    /// <inheritdoc/>
    public override long CountRoutes() => // The protocol's counters: counting the tables' routes would walk them.
        ImportedRoutes().Matches(Lab.Ask("birdc", "-s", _control, "show", "protocols", "all", "router0"))
            .Sum(match => long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"^\s+Routes:\s+(\d+) imported", RegexOptions.Multiline)]
    private static partial Regex ImportedRoutes();
}
