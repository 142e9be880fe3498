using System.Buffers.Binary;
using EgressAppliance.Bgp.Mrt;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Replay;

/// <summary>MRT table dumps as a source of prefixes for <c>replay --rib</c>.</summary>
public static class MrtRibFormat
{
    private const int HeaderLength = 12;
    private const ushort TableDumpV2 = 13;

    /// <summary>TABLE_DUMP_V2 (RFC 6396 section 4.3).</summary>
    public static RibFormat Instance { get; } = new("MRT TABLE_DUMP_V2", Matches, Read);

    // Text begins with printable characters; the type field of an MRT header (RFC 6396 section 2) has a zero octet.
    private static bool Matches(ReadOnlyMemory<byte> head) =>
        head.Length >= HeaderLength && BinaryPrimitives.ReadUInt16BigEndian(head.Span[4..]) == TableDumpV2;

    private static IEnumerable<IpPrefix> Read(Stream stream)
    {
        MrtReader reader = new(stream);
        foreach (MrtEntry entry in reader.Read())
        {
            yield return entry.Prefix;
        }

        if (reader.Malformed > 0 || reader.Truncated)
        {
            throw new InvalidDataException(
                $"{reader.Malformed} malformed records{(reader.Truncated ? ", and the file ends within a record" : "")}");
        }
    }
}
