using EgressAppliance.Host.Http;

namespace EgressAppliance.Tests.Steering;

public sealed class PrefixViewTests
{
    [Fact]
    public async Task Query_finds_by_link_origin_and_text()
    {
        await using Bench bench = new();
        string moved = await bench.RelieveAsync();
        await bench.CycleAsync(2, bench.Surge);
        string[] all = [.. Find(bench, new PrefixQuery(10))];
        Assert.Equal(2, all.Length);
        Assert.Contains(moved, all);
        PrefixDto first = bench.Api.GetPrefixes(new PrefixQuery(1)).Prefixes[0];
        Assert.Equal(all, Find(bench, new PrefixQuery(10, OriginAs: first.OriginAs)));
        Assert.Empty(Find(bench, new PrefixQuery(10, OriginAs: 1)));
        Assert.Equal([Bench.Big], Find(bench, new PrefixQuery(10, Text: "203.0.113.77")));
        Assert.Equal([Bench.Second], Find(bench, new PrefixQuery(10, Text: "198.51")));
        Assert.Empty(Find(bench, new PrefixQuery(10, Text: "192.0.2.1")));
        Assert.All(
            bench.Api.GetPrefixes(new PrefixQuery(10, Link: first.Link)).Prefixes, p => Assert.Equal(first.Link, p.Link));
    }

    [Fact]
    public async Task Pages_join_to_the_whole_list()
    {
        await using Bench bench = new();
        await bench.RelieveAsync();
        await bench.CycleAsync(2, bench.Surge);
        List<string> read = [];
        PrefixCursor? after = null;
        PrefixPage page;
        do
        {
            page = bench.Api.GetPrefixes(new PrefixQuery(1, After: after));
            read.AddRange(page.Prefixes.Select(p => p.Prefix));
            PrefixDto last = page.Prefixes[^1];
            after = PrefixCursor.Parse(new PrefixCursor(last.RateBps, last.Prefix).ToString());
        }
        while (page.More);
        Assert.Equal(Find(bench, new PrefixQuery(10)), read);
    }

    [Fact]
    public async Task Cursor_of_a_prefix_whose_rate_has_changed_goes_on_behind_the_old_rate()
    {
        await using Bench bench = new();
        await bench.RelieveAsync();
        await bench.CycleAsync(2, bench.Surge);
        PrefixDto[] all = [.. bench.Api.GetPrefixes(new PrefixQuery(10)).Prefixes];
        Assert.Equal(
            all.Where(p => p.RateBps < all[0].RateBps).Select(p => p.Prefix), Find(bench, new PrefixQuery(10, After: new PrefixCursor(all[0].RateBps, "192.0.2.0/24"))));
        Assert.Equal(all.Select(p => p.Prefix), Find(bench, new PrefixQuery(10, After: new PrefixCursor(all[0].RateBps + 1, all[0].Prefix))));
        Assert.Empty(Find(bench, new PrefixQuery(10, After: new PrefixCursor(0, all[0].Prefix))));
    }

    [Fact]
    public async Task Matrix_has_the_paths_and_the_rate_by_the_link_in_use()
    {
        await using Bench bench = new();
        string moved = await bench.RelieveAsync();
        await bench.CycleAsync(2, bench.Surge);
        MatrixDto matrix = bench.Api.GetMatrix(10);
        Assert.Equal(["a", "b", "c"], matrix.Links);
        MatrixRowDto big = matrix.Rows.Single(r => r.Prefix == Bench.Big);
        Assert.Equal(["a", "b", "c"], big.Cells.Where(c => c.Path).Select(c => c.Link).Order(StringComparer.Ordinal));
        Assert.Equal(["a", "b"], matrix.Rows.Single(r => r.Prefix == Bench.Second).Cells.Select(c => c.Link).Order(StringComparer.Ordinal));
        Assert.All(matrix.Rows, r => Assert.Equal(r.RateBps, r.Cells.Sum(c => c.RateBps)));
        Assert.Equal([moved], matrix.Rows.Where(r => r.Override).Select(r => r.Prefix));
        Assert.Single(bench.Api.GetMatrix(1).Rows);
    }

    private static IEnumerable<string> Find(Bench bench, PrefixQuery query) => bench.Api.GetPrefixes(query).Prefixes.Select(p => p.Prefix);
}
