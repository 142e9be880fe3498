using System.Text.Json;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests.Belief;

/// <summary>What the API says of a link, as far as it is about what can be believed.</summary>
/// <param name="Name">The link.</param>
/// <param name="OperStatus">ifOperStatus.</param>
/// <param name="CapacityBps">Capacity; 0 while unknown.</param>
/// <param name="MirrorBps">Rate by the mirror.</param>
/// <param name="ErrorBps">Its error.</param>
/// <param name="CounterBps">Rate by the counter, or null.</param>
/// <param name="Cause">What they say of each other.</param>
/// <param name="Ratio">Mirror by counter, or null.</param>
/// <param name="Problem">The same in words.</param>
internal sealed record LinkReading(
    string Name, string OperStatus, long CapacityBps, long MirrorBps, long ErrorBps, long? CounterBps, string Cause, double? Ratio, string Problem)
{
    /// <summary>All links, by name.</summary>
    public static async Task<IReadOnlyDictionary<string, LinkReading>> AllAsync(RunningAppliance appliance) =>
        (await appliance.GetAsync("links")).EnumerateArray().Select(Read).ToDictionary(link => link.Name);

    /// <summary>The link of a provider.</summary>
    public static async Task<LinkReading> OfAsync(RunningAppliance appliance, Provider provider) => (await AllAsync(appliance))[provider.Link];

    private static LinkReading Read(JsonElement item)
    {
        JsonElement counter = item.GetProperty("counter_bps");
        JsonElement ratio = item.GetProperty("mirror_ratio");
        return new LinkReading(
            Text(item, "name"), Text(item, "oper_status"), item.GetProperty("capacity_bps").GetInt64(), item.GetProperty("mirror_bps").GetInt64(),
            item.GetProperty("error_bps").GetInt64(), counter.ValueKind == JsonValueKind.Number ? counter.GetInt64() : null, Text(item, "rate_cause"),
            ratio.ValueKind == JsonValueKind.Number ? ratio.GetDouble() : null, Text(item, "rate_problem"));
    }

    private static string Text(JsonElement item, string name) => item.GetProperty(name).GetString() ?? "";
}
