using System.CommandLine;

namespace EgressAppliance.Host.Cli;

/// <summary><c>completion</c>: scripts by which shells complete commands and options. They ask the program itself, and so know what this version knows.</summary>
internal sealed class CompletionCommand(CommandConsole console)
{
    private const string Bash = """
        # egress-appliance completion for bash: source <(egress-appliance completion bash)
        _egress_appliance() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _egress_appliance egress-appliance

        """;

    private const string Zsh = """
        #compdef egress-appliance
        # egress-appliance completion for zsh: egress-appliance completion zsh >"${fpath[1]}/_egress-appliance"
        _egress_appliance() {
            local -a found
            found=("${(@f)$("${words[1]}" "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            (( ${#found} )) && compadd -a found || _files
        }
        compdef _egress_appliance egress-appliance

        """;

    private const string Fish = """
        # egress-appliance completion for fish: egress-appliance completion fish | source
        complete -c egress-appliance -a '(set -l line (commandline -cp); egress-appliance "[suggest:"(string length -- $line)"]" "$line" 2>/dev/null)'

        """;

    public Command Build()
    {
        Argument<string> shell = new("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        Command command = new("completion", "Print the script by which a shell completes this command.") { shell };
        command.SetAction(async (parsed, _) =>
        {
            await console.Out.WriteAsync(parsed.GetRequiredValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish });
            return ExitCode.Done;
        });
        return command;
    }
}
