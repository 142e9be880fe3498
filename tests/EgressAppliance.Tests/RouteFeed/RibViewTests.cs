using System.IO.Pipelines;
using EgressAppliance.Bgp.Mrt;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Tests.Steering;

namespace EgressAppliance.Tests.RouteFeed;

public sealed class RibViewTests
{
    [Fact]
    public async Task GetRib_of_an_address_and_of_a_prefix_give_all_paths_and_why_they_lost()
    {
        await using Bench bench = new();
        RibDto rib = bench.Api.GetRib("203.0.113.77")!;
        Assert.Equal((Bench.Big, 3), (rib.Prefix, rib.Paths.Count));
        Assert.Equal(rib.Paths.Select(p => p.NextHop), bench.Api.GetRib(Bench.Big)!.Paths.Select(p => p.NextHop));
        RibPathDto first = rib.Paths[0];
        Assert.Equal(("edge1", "127.0.0.1", "100.64.1.2", "a", "64496 64500", "igp", null), (first.Router, first.RouterAddress, first.NextHop, first.Link, first.AsPath, first.Origin, first.LostAt));
        Assert.Equal(["64496:7"], first.Communities);
        Assert.All(rib.Paths.Skip(1), p => Assert.NotNull(p.LostAt));
    }

    [Fact]
    public async Task GetRib_of_what_is_not_there_has_no_prefix_and_of_nonsense_is_null()
    {
        await using Bench bench = new();
        Assert.Null(bench.Api.GetRib("nonsense"));
        Assert.Null(bench.Api.GetRib("203.0.113.1/24"));
        Assert.Equal((null, 0), (bench.Api.GetRib("8.8.8.8")!.Prefix, bench.Api.GetRib("8.8.8.8")!.Paths.Count));
        Assert.Null(bench.Api.GetRib("203.0.113.128/25")!.Prefix);
    }

    [Fact]
    public async Task WriteRib_gives_every_prefix_with_all_its_paths_and_only_one_is_written_at_a_time()
    {
        await using Bench bench = new();
        Pipe pipe = new(new PipeOptions(pauseWriterThreshold: 64, resumeWriterThreshold: 32));
        Task<bool> writing = bench.Api.WriteRibAsync(pipe.Writer, CancellationToken.None);

        // The pipe is full and nobody reads: the first is still at it.
        Assert.False(await bench.Api.WriteRibAsync(PipeWriter.Create(Stream.Null), CancellationToken.None));
        using MemoryStream file = new();
        Task copying = pipe.Reader.CopyToAsync(file);
        Assert.True(await writing);
        await pipe.Writer.CompleteAsync();
        await copying;
        file.Position = 0;
        List<MrtEntry> entries = [.. new MrtReader(file).Read()];
        Assert.Equal([Bench.Second, Bench.Big], entries.Select(e => e.Prefix.ToString()).Order());
        Assert.Equal([2, 3], entries.Select(e => e.Paths.Count).Order());
        Assert.Equal("127.0.0.1", entries[0].Paths[0].PeerAddress.ToString());
        Assert.Equal(bench.Config.Routers[0].Bgp.PeerAs, entries[0].Paths[0].PeerAs);
        Assert.True(await bench.Api.WriteRibAsync(PipeWriter.Create(Stream.Null), CancellationToken.None));
    }

    [Fact]
    public void Every_step_has_a_code()
    {
        Assert.Null(RibView.Code(EgressAppliance.Bgp.Rib.BestPathStep.Best));
        Assert.All(Enum.GetValues<EgressAppliance.Bgp.Rib.BestPathStep>().Skip(1), step => Assert.Matches("^[a-z_]+$", RibView.Code(step)!));
    }
}
