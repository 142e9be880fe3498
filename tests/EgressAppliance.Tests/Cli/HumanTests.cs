using EgressAppliance.Host.Cli;

namespace EgressAppliance.Tests.Cli;

public sealed class HumanTests
{
    [Theory]
    [InlineData(0, "0 bit/s")]
    [InlineData(999, "999 bit/s")]
    [InlineData(999.7, "1.00 kbit/s")]
    [InlineData(1000, "1.00 kbit/s")]
    [InlineData(9_420_000_000, "9.42 Gbit/s")]
    [InlineData(94_200_000_000, "94.2 Gbit/s")]
    [InlineData(9_999_999, "10.0 Mbit/s")]
    [InlineData(99_960_000, "100 Mbit/s")]
    [InlineData(999_600_000, "1.00 Gbit/s")]
    [InlineData(-2_500_000, "-2.50 Mbit/s")]
    public void Rate_has_three_digits(double bps, string expected) => Assert.Equal(expected, Human.Rate(bps));

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(192, "3m12s")]
    [InlineData(11_520, "3h12m")]
    [InlineData(187_200, "2d4h")]
    [InlineData(-5, "-5s")]
    public void Span_has_two_units(int seconds, string expected) => Assert.Equal(expected, Human.Span(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Clean_control_characters_become_spaces() => Assert.Equal("a [31mb c", Human.Clean("a\u001b[31mb\nc"));
}
