using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Appliance;

/// <summary>What a shell and a pager make of the command: completion by bash, the manual page by groff.</summary>
public sealed class ShellTests
{
    [SystemFact]
    public async Task Bash_completes_commands_and_options()
    {
        Assert.Equal(["capture", "cluster", "config", "cost"], await CompleteAsync("show c"));
        Assert.Contains("--duration", await CompleteAsync("demo --"));
        Assert.Contains("withdraw-all", await CompleteAsync(""));
    }

    [SystemFact]
    public async Task Scripts_of_all_shells_are_printed_and_bash_finds_no_fault_with_its_own()
    {
        foreach (string shell in new[] { "bash", "zsh", "fish" })
        {
            Assert.Contains("[suggest:", (await ApplianceCommand.RunAsync("completion", shell)).Checked(), StringComparison.Ordinal);
        }

        ShellResult parsed = await Shell.RunAsync(["bash", "-n"], (await ApplianceCommand.RunAsync("completion", "bash")).Checked());
        Assert.Equal((0, ""), (parsed.ExitCode, parsed.Error));
    }

    [SystemFact]
    public async Task Manual_page_has_no_warning_and_every_command()
    {
        string page = (await ApplianceCommand.RunAsync("man")).Checked();
        ShellResult shown = await Shell.RunAsync(["groff", "-man", "-Tascii", "-ww", "-P-cbou"], page);
        Assert.Equal((0, ""), (shown.ExitCode, shown.Error));
        Assert.All(new[] { "withdraw-all", "override add PREFIX LINK", "--token-file FILE", "EXIT STATUS" }, text => Assert.Contains(text, shown.Output, StringComparison.Ordinal));
    }

    private static async Task<string[]> CompleteAsync(string typed)
    {
        // What bash does when Tab is typed: the words, the line and the place in it are variables.
        string line = "egress-appliance " + typed;
        const string Script = """
            egress-appliance() { "$COMMAND" "$@"; }
            source <("$COMMAND" completion bash)
            COMP_LINE="$LINE"; COMP_POINT=${#LINE}; read -ra COMP_WORDS <<<"$LINE"
            [[ "$LINE" == *" " ]] && COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_WORDS[0]="$COMMAND"
            _egress_appliance
            printf '%s\n' "${COMPREPLY[@]}"
            """;
        ShellResult result = await Shell.RunAsync(["env", "COMMAND=" + ApplianceCommand.Path, "LINE=" + line, "bash", "-c", Script]);
        return result.Checked().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
