using System.Diagnostics;
using System.Net;
using System.Text.Json;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>Packets and IP bytes.</summary>
/// <param name="Packets">Packets.</param>
/// <param name="Bytes">IP bytes, headers included.</param>
internal readonly record struct Count(long Packets, long Bytes)
{
    /// <summary>Difference.</summary>
    public static Count operator -(Count left, Count right) => new(left.Packets - right.Packets, left.Bytes - right.Bytes);
}

/// <summary>What the clients had received at a time, by the interface (and so by the provider) and the destination.</summary>
/// <param name="Timestamp">Stopwatch time.</param>
/// <param name="Received">Counts since the lab's start.</param>
internal sealed record GroundTruthReading(long Timestamp, IReadOnlyDictionary<(string Interface, IPAddress Target), Count> Received)
{
    /// <summary>What came by this provider for this prefix.</summary>
    public Count Of(Provider provider, LabPrefix prefix) => Received.GetValueOrDefault((provider.ClientInterface, prefix.Target));

    /// <summary>What came by any provider for this prefix.</summary>
    public long PacketsOf(LabPrefix prefix) => Received.Where(entry => entry.Key.Target.Equals(prefix.Target)).Sum(entry => entry.Value.Packets);
}

/// <summary>
/// The clients, who own every address of the lab and count what arrives on UDP port 9 by provider and destination in nftables.
/// Nothing of the appliance is involved, so this is what its counters and decisions are judged by.
/// </summary>
internal sealed class GroundTruth(NetNamespace clients)
{
    /// <summary>Layer-2 bytes per packet that the appliance is configured to add.</summary>
    public const int OverheadBytes = 18;

    /// <summary>Starts to count.</summary>
    public Task StartAsync() => RunNftAsync(["nft", "-f", "-"], """
        table inet truth {
          set seen4 { typeof iifname . ip daddr; flags dynamic; size 4096; counter; }
          set seen6 { typeof iifname . ip6 daddr; flags dynamic; size 4096; counter; }
          chain pre {
            type filter hook prerouting priority -300; policy accept;
            udp dport 9 update @seen4 { iifname . ip daddr counter }
            udp dport 9 update @seen6 { iifname . ip6 daddr counter }
            udp dport 9 drop
          }
        }

        """);

    /// <summary>Reads all counters.</summary>
    public async Task<GroundTruthReading> ReadAsync()
    {
        var received = new Dictionary<(string, IPAddress), Count>();
        string text = await RunNftAsync(["nft", "-j", "list", "table", "inet", "truth"], null);
        long timestamp = Stopwatch.GetTimestamp();
        using JsonDocument answer = JsonDocument.Parse(text);
        foreach (JsonElement item in answer.RootElement.GetProperty("nftables").EnumerateArray())
        {
            if (!item.TryGetProperty("set", out JsonElement set) || !set.TryGetProperty("elem", out JsonElement elements))
            {
                continue;
            }

            foreach (JsonElement wrapped in elements.EnumerateArray())
            {
                JsonElement element = wrapped.GetProperty("elem");
                JsonElement key = element.GetProperty("val").GetProperty("concat");
                JsonElement counter = element.GetProperty("counter");
                received[(key[0].GetString() ?? "", IPAddress.Parse(key[1].GetString() ?? ""))] =
                    new Count(counter.GetProperty("packets").GetInt64(), counter.GetProperty("bytes").GetInt64());
            }
        }

        return new GroundTruthReading(timestamp, received);
    }

    /// <summary>Rate that a link carried between two readings, bit/s, with layer-2 overhead as on the wire.</summary>
    /// <param name="provider">The link's provider.</param>
    /// <param name="before">The first reading.</param>
    /// <param name="after">The second.</param>
    /// <param name="overheadBytes">Layer-2 bytes per packet.</param>
    public static double LinkRate(Provider provider, GroundTruthReading before, GroundTruthReading after, int overheadBytes = OverheadBytes)
    {
        Count sum = after.Received.Where(entry => entry.Key.Interface == provider.ClientInterface)
            .Select(entry => entry.Value - before.Received.GetValueOrDefault(entry.Key))
            .Aggregate(new Count(), (total, part) => new Count(total.Packets + part.Packets, total.Bytes + part.Bytes));
        return (sum.Bytes + (sum.Packets * overheadBytes)) * 8 / Stopwatch.GetElapsedTime(before.Timestamp, after.Timestamp).TotalSeconds;
    }

    /// <summary>The same for one prefix.</summary>
    public static double PrefixRate(Provider provider, LabPrefix prefix, GroundTruthReading before, GroundTruthReading after)
    {
        Count sum = after.Of(provider, prefix) - before.Of(provider, prefix);
        return (sum.Bytes + (sum.Packets * OverheadBytes)) * 8 / Stopwatch.GetElapsedTime(before.Timestamp, after.Timestamp).TotalSeconds;
    }

    private async Task<string> RunNftAsync(string[] command, string? input) => (await Shell.RunAsync(clients.Command(command), input)).Checked();
}
