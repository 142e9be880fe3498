using EgressAppliance.Cluster.Deltas;
using EgressAppliance.Net;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.Tests;

namespace EgressAppliance.SystemTests.Cluster;

/// <summary>Deltas against protobuf's own compiler: what is written is what delta.proto says, and what others write by it is read.</summary>
public sealed class DeltaFormatTests
{
    private static readonly string Folder = Path.Combine(TestData.RepositoryRoot, "src", "EgressAppliance.Cluster", "Deltas");

    // As protoc prints it: fields by their numbers, packed columns one value a line.
    private const string Text = """
        format: 1
        site: "fra1"
        box: "c1"
        run: 1700000000000000000
        sequence: 7
        tick: 340000000
        period: 50000000
        length: 50010000
        config_hash: "0123abcd"
        counters {
          frames: 12
          packets: 11
          ip_bytes: 13000
          undecodable: 1
          kernel_dropped: 3
          unrouted_packets: 2
          unrouted_ip_bytes: 80
        }
        health {
          table_complete: true
          prefixes: 1041829
          loss_ratio: 0.25
          capture_age: 20000
          problems: "no frames \303\251"
          version: "1.0.0"
        }
        links {
          name: "isp-a"
          sampling: 4
          unrouted: true
          ipv4_gaps: 3221225984
          ipv4_gaps: 0
          ipv4_gaps: 128
          ipv4_lengths: "\030\031\031"
          ipv6_gaps: 2306139568115548160
          ipv6_gaps: 65536
          ipv6_lows: 0
          ipv6_lows: 1
          ipv6_lengths: " \200"
          packets: 2
          packets: 1
          packets: 300
          packets: 4
          packets: 1152921504606846975
          packets: 1
          ip_bytes: 80
          ip_bytes: 40
          ip_bytes: 12000
          ip_bytes: 160
          ip_bytes: 1152921504606846976
          ip_bytes: 40
        }
        """;

    private static readonly TrafficDelta Delta = new()
    {
        Site = "fra1",
        Box = "c1",
        Run = 1_700_000_000_000_000_000,
        Sequence = 7,
        Tick = 340_000_000,
        Period = TimeSpan.FromSeconds(5),
        Length = TimeSpan.FromMilliseconds(5001),
        ConfigHash = "0123abcd",
        Counters = new CollectorCounters { Frames = 12, Packets = 11, IpBytes = 13_000, Undecodable = 1, KernelDropped = 3, UnroutedPackets = 2, UnroutedIpBytes = 80 },
        Health = new CollectorHealth { TableComplete = true, Prefixes = 1_041_829, LossRatio = 0.25, CaptureAge = TimeSpan.FromMilliseconds(2), Problems = ["no frames é"], Version = "1.0.0" },
        Links =
        [
            new LinkDelta
            {
                Link = "isp-a",
                Prefixes = [default, .. new[] { "192.0.2.0/24", "192.0.2.0/25", "192.0.2.128/25", "2001:db8::/32", "2001:db8:1::1/128" }.Select(p => IpPrefix.Parse(p))],
                Packets = [2, 1, 300, 4, (1L << 60) - 1, 1],
                IpBytes = [80, 40, 12_000, 160, 1L << 60, 40],
                Sampling = 4,
            },
        ],
    };

    [ProtocFact]
    public async Task What_is_written_is_what_the_description_says()
    {
        string read = await DecodeAsync(DeltaCodec.Encode(Delta));
        Assert.Equal(Text.ReplaceLineEndings("\n"), read.TrimEnd());
    }

    [ProtocFact]
    public async Task What_others_write_by_the_description_is_read()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("ea-delta-");
        try
        {
            string given = Path.Combine(folder.FullName, "delta.txt"), made = Path.Combine(folder.FullName, "delta.bin");
            await File.WriteAllTextAsync(given, Text);
            await Shell.CheckedAsync("bash", "-c", $"protoc --proto_path='{Folder}' --encode=egress_appliance.TrafficDelta delta.proto < '{given}' > '{made}'");
            Assert.True(DeltaCodec.TryDecode(await File.ReadAllBytesAsync(made), out TrafficDelta? read, out DeltaFault fault), fault.ToString());
            Assert.Equivalent(Delta, read, strict: true);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string> DecodeAsync(byte[] message)
    {
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(file, message);
            return await Shell.CheckedAsync("bash", "-c", $"protoc --proto_path='{Folder}' --decode=egress_appliance.TrafficDelta delta.proto < '{file}'");
        }
        finally
        {
            File.Delete(file);
        }
    }
}
