using EgressAppliance.Host.Cli;

namespace EgressAppliance.Tests.Cli;

public sealed class TextTableTests
{
    [Fact]
    public void Write_aligns_text_left_and_numbers_right() => Assert.Equal(
        """
        LINK        RATE  STATE
        isp-a     9 Mbit  up
        a-longer  10 bit  down

        """,
        Write(null, false));

    [Fact]
    public void Write_narrow_terminal_cuts_text_not_numbers()
    {
        TextTable table = new TextTable("PREFIX", ">RATE", "REASON").Add("203.0.113.0/24", "9.42 Gbit/s", "relieve isp-a, 97.2% of its capacity");
        using StringWriter output = new() { NewLine = "\n" };
        table.Write(CliRunner.Console(output, width: 46), "");
        Assert.All(output.ToString().TrimEnd('\n').Split('\n'), line => Assert.True(line.Length <= 46, line));
        Assert.Contains("203.0.113.0/24  9.42 Gbit/s  relieve isp-a, 9…", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_narrow_terminal_leaves_out_lesser_columns_and_names_them()
    {
        TextTable table = new TextTable("LINK", "?ROUTER", "?>NATIVE", ">LOAD").Add("isp-a", "edge1", "9.42 Gbit/s", "94.2%");
        using StringWriter output = new() { NewLine = "\n" };
        table.Write(CliRunner.Console(output, width: 26), "");
        Assert.Equal("LINK        NATIVE   LOAD\nisp-a  9.42 Gbit/s  94.2%\nNot shown for want of width: ROUTER.\n", output.ToString());
    }

    [Fact]
    public void Write_color_only_where_allowed()
    {
        Assert.DoesNotContain('\u001b', Write(null, false));
        Assert.Contains("\u001b[31mdown\u001b[0m", Write(null, true), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_empty_says_so()
    {
        using StringWriter output = new() { NewLine = "\n" };
        new TextTable("A").Write(CliRunner.Console(output), "Nothing.");
        Assert.Equal("Nothing.\n", output.ToString());
    }

    private static string Write(int? width, bool color)
    {
        using StringWriter output = new() { NewLine = "\n" };
        new TextTable("LINK", ">RATE", "STATE")
            .Add("isp-a", "9 Mbit", "up")
            .Add("a-longer", "10 bit", new Cell("down", CellStyle.Bad))
            .Write(CliRunner.Console(output, width: width, color: color), "");
        return output.ToString();
    }
}
