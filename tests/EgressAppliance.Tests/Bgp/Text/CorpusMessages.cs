using System.IO.Compression;
using System.Text.Json;
using EgressAppliance.Bgp.Text;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Tests.Bgp.Text;

/// <summary>A message of the corpus with what is known of its session.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Group">The capture or test suite it is from.</param>
/// <param name="Type">UPDATE, OPEN, …</param>
/// <param name="As2">AS numbers have two octets.</param>
/// <param name="AddPath">The session, or the case, knows path identifiers.</param>
/// <param name="BadLength">The length field does not match what follows.</param>
/// <param name="Octets">The whole message.</param>
internal sealed record CorpusMessage(string Id, string Group, string Type, bool As2, bool AddPath, bool BadLength, byte[] Octets)
{
    /// <summary>The session, or the case, knows IPv6 next hops of IPv4 routes (RFC 8950).</summary>
    public bool ExtendedNextHop => Group == "exabgp:extended-nexthop";

    /// <summary>What <c>bgp decode</c> prints for it.</summary>
    public JsonElement Decode(bool? addPath = null)
    {
        bool ids = addPath ?? AddPath;
        var codec = new BgpCodecOptions { FourOctetAs = !As2, AddPathIPv4 = ids, AddPathIPv6 = ids, ExtendedNextHop = ExtendedNextHop, ExtendedMessage = true };
        using var document = JsonDocument.Parse(MessageJson.ToJson(Octets, codec));
        return document.RootElement.Clone();
    }
}

/// <summary>Reads the corpus (see the README beside it) and takes apart what <c>bgp decode</c> prints.</summary>
internal static class CorpusMessages
{
    public static TheoryData<string> Folders()
    {
        var folders = new TheoryData<string>(TestData.Path("bgp"));
        if (TestData.Shared is { } shared)
        {
            folders.Add(Path.Combine(shared, "bgp"));
        }

        return folders;
    }

    public static IEnumerable<CorpusMessage> Read(string folder) =>
        from line in File.ReadLines(Path.Combine(folder, "messages.tsv")).Skip(1)
        let f = line.Split('\t')
        select new CorpusMessage(f[0], f[1], f[2], f[3] == "2", f[4] == "1", f[5] == "1", Convert.FromHexString(f[8]));

    /// <summary>What other decoders made of a message, by its name: one member for each.</summary>
    public static Dictionary<string, JsonElement> Others(string folder)
    {
        var others = new Dictionary<string, JsonElement>();
        using var text = new StreamReader(new GZipStream(File.OpenRead(Path.Combine(folder, "decoded.jsonl.gz")), CompressionMode.Decompress));
        while (text.ReadLine() is { } line)
        {
            using var document = JsonDocument.Parse(line);
            others.Add(document.RootElement.GetProperty("id").GetString()!, document.RootElement.Clone());
        }

        return others;
    }

    /// <summary>The member, or null; names with a dot go down.</summary>
    public static JsonElement? At(this JsonElement element, string path)
    {
        foreach (string name in path.Split('/'))
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out JsonElement next))
            {
                return null;
            }

            element = next;
        }

        return element;
    }

    public static IEnumerable<JsonElement> Items(this JsonElement element, string path) => element.At(path)?.EnumerateArray() ?? Enumerable.Empty<JsonElement>();

    public static string? Action(this JsonElement message) => message.At("error/action")?.GetString();
}
