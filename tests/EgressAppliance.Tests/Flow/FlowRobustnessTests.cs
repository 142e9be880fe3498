using System.Globalization;
using EgressAppliance.Flow;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Flow;

public sealed class FlowRobustnessTests
{
    private static readonly IpAddr Exporter = IpAddr.Parse("192.0.2.1", CultureInfo.InvariantCulture);
    private static readonly FlowDecoderOptions Small = new() { MaxTemplates = 16, MaxSamplers = 4, MaxSequences = 8, MaxFieldsPerTemplate = 32 };

    [Fact]
    public void Each_truncation_is_refused_or_read_and_never_throws()
    {
        foreach ((_, _, byte[] bytes) in FlowCorpusTests.Load(TestData.Path("flow")))
        {
            for (int length = 0; length < bytes.Length; length++)
            {
                var decoder = new FlowDecoder(Small);
                FlowStatus status = decoder.Decode(Exporter, bytes.AsSpan(0, length), 0, new List<FlowRecord>());
                Assert.Equal(status == FlowStatus.Decoded ? 1 : 0, decoder.Statistics.Count(FlowStatus.Decoded));
                Assert.True(status == FlowStatus.Decoded || decoder.Statistics.Count(status) > 0);
                // Only version 9 does not say how long its datagram is: one that ends between sets is whole.
                Assert.True(status != FlowStatus.Decoded || bytes[1] == 9, $"{length} of {bytes.Length}: {status}");
            }
        }
    }

    [Fact]
    public void Twenty_thousand_mutations_never_throw_and_keep_the_state_bounded()
    {
        var random = new Random(20260711);
        byte[][] seeds = [.. FlowCorpusTests.Load(TestData.Path("flow")).Select(d => d.Bytes)];
        var decoder = new FlowDecoder(Small);
        List<FlowRecord> records = [];
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = [.. seeds[random.Next(seeds.Length)]];
            for (int m = random.Next(1, 6); m > 0; m--)
            {
                bytes[random.Next(bytes.Length)] = random.Next(3) switch { 0 => 0, 1 => 0xFF, _ => (byte)random.Next(256) };
            }

            records.Clear();
            decoder.Decode(Exporter, bytes.AsSpan(0, random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length), i * 1000L, records);
            Assert.True(decoder.Templates.Count <= 16 && decoder.Samplers.Count <= 4 && decoder.Sequences <= 8);
            Assert.True(records.Count <= bytes.Length);
            Assert.DoesNotContain(records, r => r.Destination.IsDefault);
        }

        Assert.Equal(20_000, decoder.Statistics.Datagrams);
        Assert.True(decoder.Statistics.Count(FlowStatus.TemplateCacheFull) > 0);
        Assert.True(decoder.Statistics.StateRefused > 0);
    }
}
