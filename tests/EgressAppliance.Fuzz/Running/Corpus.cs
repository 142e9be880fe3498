using System.IO.Compression;
using System.Text.Json;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Fuzz.Running;

/// <summary>A message of the corpus.</summary>
/// <param name="Octets">The whole message, marker included.</param>
/// <param name="Options">The options octet (see <see cref="Checks.CodecOctet"/>) of the session it is from, as far as that is known.</param>
public readonly record struct CorpusMessage(byte[] Octets, byte Options)
{
    /// <summary>The message without its header.</summary>
    public ReadOnlySpan<byte> Body => Octets.AsSpan(Math.Min(Octets.Length, BgpConstants.HeaderLength));
}

/// <summary>
/// Real messages and known bad ones by type, in the order of the folders and files: part of what a seed's inputs depend on. A few messages
/// of our own are always there, so that no list is empty.
/// </summary>
public sealed class Corpus
{
    /// <summary>Only the beginning of a table dump is taken: what is far into the file is seldom reached once something before it is changed.</summary>
    private const int MaxDumpLength = 4096;

    private readonly List<CorpusMessage> _opens = [];
    private readonly List<CorpusMessage> _updates = [];
    private readonly List<CorpusMessage> _notifications = [];
    private readonly List<CorpusMessage> _refreshes = [];
    private readonly List<byte[]> _streams = [];
    private readonly List<byte[]> _dumps = [];
    private readonly List<byte[]> _bmp = [];
    private Digest _digest;

    /// <summary>Reads folders. Files with other names than those of the test data are passed over.</summary>
    /// <exception cref="IOException">A folder or file cannot be read.</exception>
    public Corpus(IEnumerable<string> folders)
    {
        ArgumentNullException.ThrowIfNull(folders);
        AddOwn();
        foreach (string folder in folders)
        {
            foreach (string path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
            {
                AddFile(path);
            }
        }
    }

    /// <summary>OPEN messages.</summary>
    public IReadOnlyList<CorpusMessage> Opens => _opens;

    /// <summary>UPDATE messages.</summary>
    public IReadOnlyList<CorpusMessage> Updates => _updates;

    /// <summary>NOTIFICATION messages.</summary>
    public IReadOnlyList<CorpusMessage> Notifications => _notifications;

    /// <summary>ROUTE-REFRESH messages.</summary>
    public IReadOnlyList<CorpusMessage> Refreshes => _refreshes;

    /// <summary>What one peer sent, several messages in a row.</summary>
    public IReadOnlyList<byte[]> Streams => _streams;

    /// <summary>MRT files, uncompressed and cut after whole records.</summary>
    public IReadOnlyList<byte[]> Dumps => _dumps;

    /// <summary>BMP messages.</summary>
    public IReadOnlyList<byte[]> Bmp => _bmp;

    /// <summary>Hash over everything: runs with one seed can be compared only if this is equal too.</summary>
    public ulong Hash => _digest.Value;

    /// <summary>The folders with the repository's own messages; none outside of it.</summary>
    public static IReadOnlyList<string> Bundled()
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
        {
            string data = Path.Combine(d.FullName, "tests", "data");
            if (File.Exists(Path.Combine(d.FullName, "EgressAppliance.sln")) && Directory.Exists(data))
            {
                return [Path.Combine(data, "bgp"), Path.Combine(data, "bgp", "mrt"), Path.Combine(data, "bmp")];
            }
        }

        return [];
    }

    private void AddFile(string path)
    {
        switch (Path.GetFileName(path))
        {
            case "messages.tsv":
                AddMessages(path);
                break;
            case "rfc7606-cases.json":
                ForEachCase(path, item => AddMessage(
                    Convert.FromHexString(item.GetProperty("update_hex").GetString()!),
                    Checks.CodecOctet.Make(fourOctet: true, addPath: false, item.GetProperty("peer").GetString() == "ebgp")));
                break;
            case "open-cases.json":
                ForEachCase(path, item =>
                {
                    byte[] stream = [.. item.GetProperty("send_hex").EnumerateArray().SelectMany(h => Convert.FromHexString(h.GetString()!))];
                    if (stream.Length > 0)
                    {
                        _digest.Add(stream);
                        _streams.Add(stream);
                        AddMessage(Convert.FromHexString(item.GetProperty("send_hex")[0].GetString()!), 0);
                    }
                });
                break;
            case { } name when IsDump(name):
                AddDump(path);
                break;
        }
    }

    private static bool IsDump(string name) =>
        name.Contains("mrt", StringComparison.Ordinal) && (name.EndsWith(".mrt", StringComparison.Ordinal) || name.EndsWith(".mrt.gz", StringComparison.Ordinal))
        || (name.StartsWith("ris.", StringComparison.Ordinal) && name.EndsWith(".gz", StringComparison.Ordinal) && !name.Contains("bgpdump", StringComparison.Ordinal))
        || (name.StartsWith("mrtparse.", StringComparison.Ordinal) && !name.EndsWith(".gz", StringComparison.Ordinal));

    private void AddMessages(string path)
    {
        foreach (string line in File.ReadLines(path).Skip(1))
        {
            string[] fields = line.Split('\t');
            byte[] octets = Convert.FromHexString(fields[^1]);
            // Two collections have files of this name: BGP messages with what is known of their session, and BMP messages without.
            if (fields.Length < 9)
            {
                AddBmp(octets);
            }
            else
            {
                AddMessage(octets, Checks.CodecOctet.Make(fields[3] != "2", fields[4] == "1", external: false));
            }
        }
    }

    private void AddBmp(byte[] octets)
    {
        _digest.Add(octets);
        _bmp.Add(octets);
    }

    private void AddMessage(byte[] octets, byte options)
    {
        List<CorpusMessage>? list = octets.Length <= 18 ? null : (BgpMessageType)octets[18] switch
        {
            BgpMessageType.Open => _opens,
            BgpMessageType.Update => _updates,
            BgpMessageType.Notification => _notifications,
            BgpMessageType.RouteRefresh => _refreshes,
            _ => null,
        };
        if (list is not null)
        {
            _digest.Add(octets);
            list.Add(new(octets, options));
        }
    }

    private void AddDump(string path)
    {
        byte[] start = new byte[MaxDumpLength];
        using FileStream file = File.OpenRead(path);
        using Stream plain = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        int read = plain.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        int whole = 0;
        while (whole + 12 <= read)
        {
            long next = whole + 12L + System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(start.AsSpan(whole + 8));
            if (next > read)
            {
                break;
            }

            whole = (int)next;
        }

        if (whole > 0)
        {
            _digest.Add(start.AsSpan(0, whole));
            _dumps.Add(start[..whole]);
        }
    }

    private static void ForEachCase(string path, Action<JsonElement> use)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        foreach (JsonElement item in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            use(item);
        }
    }

    /// <summary>One of each kind, with every attribute the encoder knows.</summary>
    private void AddOwn()
    {
        var writer = new BgpWriter(new byte[BgpConstants.MaxMessageLength]);
        new OpenMessage
        {
            MyAs = 65001,
            HoldTime = 90,
            RouterId = 0xC000_0201,
            Capabilities =
            [
                BgpCapability.Multiprotocol(AfiSafi.IPv4Unicast), BgpCapability.Multiprotocol(AfiSafi.IPv6Unicast), BgpCapability.RouteRefresh,
                BgpCapability.FourOctetAs(65001), BgpCapability.AddPath(new AddPathEntry(AfiSafi.IPv4Unicast, AddPathMode.Both)),
            ],
        }.Encode(ref writer);
        AddMessage(writer.Written.ToArray(), 0);

        writer = new BgpWriter(new byte[BgpConstants.MaxMessageLength]);
        NotificationMessage.Shutdown("maintenance").Encode(ref writer);
        AddMessage(writer.Written.ToArray(), 0);

        writer = new BgpWriter(new byte[BgpConstants.MaxMessageLength]);
        new RouteRefreshMessage(AfiSafi.IPv6Unicast).Encode(ref writer);
        AddMessage(writer.Written.ToArray(), 0);

        for (byte octet = 0; octet < 16; octet++)
        {
            BgpCodecOptions options = Checks.CodecOctet.Options(octet);
            var update = new UpdateMessage { Attributes = OwnAttributes(), MpReachFamily = AfiSafi.IPv6Unicast, MpUnreachFamily = AfiSafi.IPv6Unicast };
            update.MpNextHop = new(IpAddr.Parse("2001:db8::1"), IpAddr.Parse("fe80::1"));
            update.Announced.AddRange([new(IpPrefix.Parse("203.0.113.0/24"), 1), new(IpPrefix.Parse("198.51.100.128/25"), 2)]);
            update.Withdrawn.Add(new(IpPrefix.Parse("192.0.2.0/24"), 1));
            update.MpReach.Add(new(IpPrefix.Parse("2001:db8:1::/48"), 1));
            update.MpUnreach.Add(new(IpPrefix.Parse("2001:db8:2::/48"), 1));
            writer = new BgpWriter(new byte[BgpConstants.MaxMessageLength]);
            UpdateEncoder.Encode(ref writer, update, options);
            AddMessage(writer.Written.ToArray(), octet);
        }

        foreach (byte[] message in OwnBmp.Messages(_opens[0].Octets, _updates[1].Octets))
        {
            AddBmp(message);
        }
    }

    private static PathAttributes OwnAttributes() => new()
    {
        NextHop = new(IpAddr.Parse("192.0.2.1")),
        AsPath = AsPath.FromSegments([new(AsSegmentType.Sequence, [65001, 4_200_000_001]), new(AsSegmentType.Set, [64500, 64501])]),
        AtomicAggregate = true,
        Aggregator = new(4_200_000_001, IpAddr.Parse("192.0.2.9")),
        Med = 20,
        LocalPref = 200,
        Communities = [0xFDE8_029A, Community.NoExport],
        ExtendedCommunities = [0x0002_FDE8_0000_0001],
        LargeCommunities = [new(64496, 1, 2)],
        OriginatorId = 0xC000_0203,
        ClusterList = [1, 2],
        Unknown = [new(0xE0, 200, [1, 2, 3])],
    };
}
