using System.Text.Json;
using System.Text.Json.Serialization;

namespace EgressAppliance.Host.Demo;

/// <summary>How high a link's load went.</summary>
/// <param name="Name">The link.</param>
/// <param name="PeakRatio">Highest load in any second, ratio of capacity, as the router measured it.</param>
/// <param name="PeakRatioWithout">The same for the same packets under plain BGP.</param>
public sealed record DemoLinkSummary(string Name, double PeakRatio, double PeakRatioWithout);

/// <summary>
/// What came of the demo: the object that <c>demo --json</c> ends with. Loads and moves are the router's own account, from the start of the story on.
/// </summary>
/// <param name="Links">The links.</param>
/// <param name="Moves">Times the router took an override for a prefix, or another link for one.</param>
/// <param name="Releases">Times an override was withdrawn while the story went on.</param>
/// <param name="OverloadSeconds">Seconds in which some link was to carry more than its capacity.</param>
/// <param name="OverloadSecondsWithout">The same for the same packets under plain BGP.</param>
/// <param name="Packets">Packets that the mirror carried.</param>
/// <param name="LostPackets">Those of them that the appliance did not count.</param>
public sealed record DemoSummary(
    IReadOnlyList<DemoLinkSummary> Links, int Moves, int Releases, int OverloadSeconds, int OverloadSecondsWithout, long Packets, long LostPackets)
{
    /// <summary>The object on one line.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, DemoJson.Default.DemoSummary);
}

/// <summary>Serialization of the summary, generated at build time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DemoSummary))]
internal sealed partial class DemoJson : JsonSerializerContext;
