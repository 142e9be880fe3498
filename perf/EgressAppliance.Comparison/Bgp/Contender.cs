using EgressAppliance.Comparison.Bgp.Daemons;
using EgressAppliance.Comparison.Running;

namespace EgressAppliance.Comparison.Bgp;

/// <summary>A speaker that takes turns.</summary>
/// <param name="Name">As <c>--only</c> takes it.</param>
/// <param name="Title">As reports show it.</param>
/// <param name="Start">Starts one that takes a table, with several paths of a prefix or one.</param>
internal sealed record Contender(string Name, string Title, Func<bool, Speaker> Start)
{
    /// <summary>Name of the appliance's speaker.</summary>
    public const string Own = "own";

    /// <summary>Name of the daemon that others are measured against.</summary>
    public const string Bird = "bird";

    /// <summary>All, with the versions installed.</summary>
    public static IReadOnlyList<Contender> All { get; } =
    [
        new(Own, "egress-appliance", _ => new OwnSpeaker()),
        new(Bird, ProcessRun.TryFirstLine("bird", "--version") ?? "BIRD", _ => new BirdSpeaker()),
        new("frr", Version("FRR bgpd", "/usr/lib/frr/bgpd"), _ => new FrrSpeaker()),
        new("gobgp", Version("GoBGP", "gobgpd"), addPath => new GoBgpSpeaker(addPath)),
    ];

    private static string Version(string name, string program) => $"{name} {ProcessRun.TryFirstLine(program, "--version")?.Split(' ')[^1]}";
}
