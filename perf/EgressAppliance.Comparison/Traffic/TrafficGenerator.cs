using System.Buffers.Binary;
using System.Globalization;
using EgressAppliance.Net;

namespace EgressAppliance.Comparison.Traffic;

/// <summary>
/// Writes the routing table and the capture files of a comparison into a folder. The same table gives the same files.
/// </summary>
/// <remarks>
/// Frames of IMIX sizes, 64, 576 and 1514 bytes as 7:4:1, cut to 96 bytes as a monitoring capture would; a fifth of them tagged; packet by packet a family by its share and a
/// flow of the family by its popularity. Every file has a companion <c>-head</c> of its first 100 packets: what a program spends on that is its start.
/// </remarks>
internal static class TrafficGenerator
{
    /// <summary>Packets of a head file.</summary>
    public const int HeadPackets = 100;

    private const int SnapLength = 96;
    private const int Seed = 20240131;

    /// <summary>Path of the prefixes, one a line.</summary>
    public static string TablePath(string folder) => Path.Combine(folder, "table.txt");

    /// <summary>Path of a mix's capture file.</summary>
    public static string PcapPath(string folder, string mix) => Path.Combine(folder, mix + ".pcap");

    /// <summary>Path of the capture file of a mix's first packets.</summary>
    public static string HeadPath(string folder, string mix) => Path.Combine(folder, mix + "-head.pcap");

    /// <summary>What the folder's files were made of, or null.</summary>
    public static string? ReadOrigin(string folder)
    {
        string path = Path.Combine(folder, "origin.txt");
        return File.Exists(path) ? File.ReadAllText(path).Trim() : null;
    }

    /// <summary>The folder's traffic in words, with the credits that the real table's licences ask for.</summary>
    public static string Describe(string folder)
    {
        const string Credits = " (a tier-1 router's table of January 2024 and later additions; IP to AS data by RouteViews (routeviews.org), NRO (nro.net) and DB-IP (db-ip.com), "
            + "CC BY 4.0, via ip-location-db)";
        return ReadOrigin(folder) + (RoutedPrefixes.IsReal ? Credits : "");
    }

    /// <summary>Makes the files unless the folder has them.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="packets">IP packets of a full capture file.</param>
    /// <param name="every">One prefix of the table in this many is taken.</param>
    public static void Ensure(string folder, int packets, int every)
    {
        string origin = string.Create(CultureInfo.InvariantCulture, $"version 1, seed {Seed}, {packets} packets, {(RoutedPrefixes.IsReal ? "real" : "generated")} table{(every == 1 ? "" : $", one prefix in {every}")}");
        if (ReadOrigin(folder) == origin)
        {
            return;
        }

        Directory.CreateDirectory(folder);
        Console.Error.WriteLine($"generating traffic in {folder}");
        using RoutedPrefixes table = new(every);
        table.Write(TablePath(folder));
        foreach (TrafficMix mix in TrafficMix.All(packets))
        {
            Write(folder, mix, table);
        }

        File.WriteAllText(Path.Combine(folder, "origin.txt"), origin + "\n");
    }

    private static void Write(string folder, TrafficMix mix, RoutedPrefixes table)
    {
        Random random = new(Seed);
        int flows6 = (int)(mix.Flows * mix.IPv6Share);
        FlowSet? ipv6 = flows6 == 0 ? null : new(IpFamily.IPv6, flows6, table, random);
        FlowSet? ipv4 = flows6 == mix.Flows ? null : new(IpFamily.IPv4, mix.Flows - flows6, table, random);
        using Stream full = Create(PcapPath(folder, mix.Name));
        using Stream head = Create(HeadPath(folder, mix.Name));
        Span<byte> record = stackalloc byte[16 + SnapLength];
        Span<byte> frame = record[16..];
        for (int i = 0; i < mix.Packets; i++)
        {
            FlowSet set = ipv4 is null || (ipv6 is not null && random.NextDouble() < mix.IPv6Share) ? ipv6! : ipv4;
            int size = random.Next(12) switch { < 7 => 64, < 11 => 576, _ => 1514 };
            ushort vlan = random.NextDouble() < TrafficMix.TaggedShare ? (ushort)(100 + random.Next(4)) : (ushort)0;
            int wire = FrameBuilder.WritePacket(frame, set.Draw(random), size, vlan, (ushort)i);
            WriteRecord(full, record, i, wire);
            if (i < HeadPackets)
            {
                WriteRecord(head, record, i, wire);
            }

            if (i % TrafficMix.PacketsPerArp == TrafficMix.PacketsPerArp - 1)
            {
                WriteRecord(full, record, i, FrameBuilder.WriteArp(frame));
            }
        }
    }

    private static BufferedStream Create(string path)
    {
        // draft-ietf-opsawg-pcap: magic of microsecond stamps, version 2.4, snap length, Ethernet.
        Span<byte> header = stackalloc byte[24];
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0xA1B2C3D4);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], 2);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], 4);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], SnapLength);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], 1);
        BufferedStream stream = new(File.Create(path), 1 << 20);
        stream.Write(header);
        return stream;
    }

    /// <summary>One packet a microsecond: a file is a few seconds of traffic, which no program's idle timeouts cut up.</summary>
    private static void WriteRecord(Stream stream, Span<byte> record, int index, int wire)
    {
        const uint Start = 1_700_000_000;
        int captured = Math.Min(wire, SnapLength);
        BinaryPrimitives.WriteUInt32LittleEndian(record, Start + (uint)(index / 1_000_000));
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], (uint)(index % 1_000_000));
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], (uint)captured);
        BinaryPrimitives.WriteUInt32LittleEndian(record[12..], (uint)wire);
        stream.Write(record[..(16 + captured)]);
    }
}
