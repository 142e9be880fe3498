using System.CommandLine;
using System.CommandLine.Parsing;
using EgressAppliance.Host.Cli;
using EgressAppliance.Tests.Cli;

namespace EgressAppliance.Tests.Documentation;

/// <summary>
/// Every command line of README and docs is one that the program takes: its commands, options and values, by the parser of the program itself. The system tests
/// run those of the blocks for real.
/// </summary>
public sealed class DocumentedCommandTests
{
    private static readonly RootCommand Root = CommandLine.Build(new FakeHandlers(), CliRunner.Console(TextWriter.Null));

    [Fact]
    public void Commands_of_the_documentation_are_understood()
    {
        Assert.True(DocumentedCommand.All.Count(c => c.IsShell) > 25);
        Assert.True(DocumentedCommand.All.Count(c => !c.IsShell) > 25);
        Assert.Empty(DocumentedCommand.All.SelectMany(Problems));
    }

    [Theory]
    [InlineData("    egress-appliance show linkz", "linkz")]
    [InlineData("    egress-appliance show prefixes --tip 5", "--tip")]
    [InlineData("    sudo -u egress egress-appliance chekc a.yaml", "chekc")]
    [InlineData("```\nfalse || bin/egress-appliance mode off   # a comment\n```", "off")]
    [InlineData("As `show overides` tells.", "overides")]
    [InlineData("`egress-appliance explain PREFIX [--verbose]`", "--verbose")]
    public void Wrong_commands_are_found(string markdown, string wrong)
    {
        string problem = Assert.Single(DocumentedCommand.Of(MarkdownPage.Of(markdown)).SelectMany(Problems).Take(1));
        Assert.Contains(wrong, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Calls_are_found_wherever_they_stand_in_a_line()
    {
        MarkdownPage page = MarkdownPage.Of("    a=1 && egress-appliance simulate --print day >mine.yaml && egress-appliance check mine.yaml | tee x # egress-appliance run\n\n`show links`, `mode`\n\n```yaml\negress-appliance\n```\n");
        DocumentedCommand[] commands = [.. DocumentedCommand.Of(page)];
        Assert.Equal([["simulate", "--print", "day"], ["check", "mine.yaml"]], commands[0].Calls());
        Assert.Equal([["show", "links"]], Assert.Single(commands[1..]).Calls());
    }

    private static IEnumerable<string> Problems(DocumentedCommand command) =>
        command.Calls().SelectMany(call => Root.Parse(call).Errors
            .Where(e => command.IsShell || !IsOnlyNamed(command, e))
            .Select(e => $"{command.Place}: `{command.Text}`: {e.Message}"));

    /// <summary>Within text a command may be named without what it is asked for: "`show rib` tells …".</summary>
    private static bool IsOnlyNamed(DocumentedCommand command, ParseError error) =>
        command.Text.All(c => char.IsLower(c) || c is ' ' or '-' or '/') && error.SymbolResult is ArgumentResult or CommandResult
        && error.Message.StartsWith("Required ", StringComparison.Ordinal);
}
