using EgressAppliance.Host.Config;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Configuration;

public sealed class UnitsTests
{
    [Theory]
    [InlineData("10Gbit/s", 10_000_000_000)]
    [InlineData("2.5Gbit/s", 2_500_000_000)]
    [InlineData("500Mbit/s", 500_000_000)]
    [InlineData("64kbit/s", 64_000)]
    [InlineData("0bit/s", 0)]
    [InlineData("10 Gbit/s", 10_000_000_000)]
    public void ParseRate_reads_decimal_units(string text, long expected) => Assert.Equal(expected, Units.ParseRate(text).Value);

    [Theory]
    [InlineData("64MiB", 64L << 20)]
    [InlineData("1.5KiB", 1536)]
    [InlineData("18B", 18)]
    [InlineData("3kB", 3000)]
    public void ParseSize_reads_both_kinds_of_unit(string text, long expected) => Assert.Equal(expected, Units.ParseSize(text).Value);

    [Theory]
    [InlineData("10ms", 0.01)]
    [InlineData("5s", 5)]
    [InlineData("5m", 300)]
    [InlineData("1h", 3600)]
    [InlineData("35d", 35 * 86400)]
    [InlineData("1.5s", 1.5)]
    public void ParseDuration_reads_units(string text, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Units.ParseDuration(text).Value);

    [Theory]
    [InlineData("95%", 0.95)]
    [InlineData("0.95", 0.95)]
    [InlineData("0.1%", 0.001)]
    [InlineData("1", 1.0)]
    public void ParseRatio_reads_both_forms(string text, double expected) => Assert.Equal(expected, Units.ParseRatio(text).Value);

    [Theory]
    [InlineData("")]
    [InlineData("Gbit/s")]
    [InlineData("10")]
    [InlineData("-1Gbit/s")]
    [InlineData("1e9bit/s")]
    [InlineData("1,5Gbit/s")]
    [InlineData("10GB")]
    [InlineData("0.5bit/s")]
    [InlineData("999999999999Tbit/s")]
    [InlineData("10Gbit/s ")]
    [InlineData("1.2.3Gbit/s")]
    public void ParseRate_other_text_is_refused_with_a_remedy(string text)
    {
        ParsedValue parsed = Units.ParseRate(text);
        Assert.Null(parsed.Value);
        Assert.NotEmpty(parsed.Problem!);
        Assert.NotEmpty(parsed.Remedy!);
    }

    [Theory]
    [InlineData("10Gbps", "did you mean 10Gbit/s?")]
    [InlineData("10gbit/s", "did you mean 10Gbit/s?")]
    [InlineData("10G", "did you mean 10Gbit/s?")]
    [InlineData("10Mbit", "did you mean 10Mbit/s?")]
    public void ParseRate_near_unit_is_named(string text, string remedy) => Assert.Equal(remedy, Units.ParseRate(text).Remedy);

    [Fact]
    public void Format_then_parse_gives_the_same()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<NonNegativeInt>(), n =>
        {
            long value = n.Get * 1000L;
            return Units.ParseRate(Units.FormatRate(value)).Value is long rate && rate == value
                && Units.ParseSize(Units.FormatSize(value)).Value is long size && size == value
                && Units.ParseDuration(Units.FormatDuration(TimeSpan.FromMilliseconds(value))).Value is TimeSpan time
                && time == TimeSpan.FromMilliseconds(value);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Parse_any_text_never_throws()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<string?>(), text =>
        {
            string s = text ?? "";
            return new[] { Units.ParseRate(s), Units.ParseSize(s), Units.ParseDuration(s), Units.ParseRatio(s) }
                .All(p => p.Value is null != (p.Problem is null));
        }).QuickCheckThrowOnFailure();
    }
}
