using System.CommandLine;
using EgressAppliance.Host.Cli;

namespace EgressAppliance.Tests.Cli;

public sealed class CliDocumentTests
{
    [Fact]
    public void Document_names_every_command_and_option()
    {
        string text = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "docs", "cli.md"));
        List<string> missing = [];
        Collect(CommandLine.Build(new FakeHandlers(), CliRunner.Console(TextWriter.Null)), "", text, missing);
        Assert.Empty(missing);
    }

    private static void Collect(Command command, string path, string text, List<string> missing)
    {
        foreach (Option option in command.Options.Where(o => !text.Contains(o.Name, StringComparison.Ordinal)))
        {
            missing.Add($"{path} {option.Name}");
        }

        foreach (Command sub in command.Subcommands)
        {
            string name = (path + " " + sub.Name).Trim();
            if (!text.Contains(name, StringComparison.Ordinal))
            {
                missing.Add(name);
            }

            Collect(sub, name, text, missing);
        }
    }
}
