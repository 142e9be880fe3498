using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Page;

/// <summary>What tests of the page need of the machine and of the build.</summary>
internal static class PageRequirements
{
    /// <summary>The browser, as Debian installs it.</summary>
    public const string Browser = "/usr/bin/chromium";

    private const string PageResource = "ui/index.html";

    private static readonly Lazy<string?> LazyMissing = new(Examine);

    /// <summary>Why tests of the page cannot run here, or null.</summary>
    public static string? Missing => LazyMissing.Value;

    /// <summary>Throws the reason if something is missing.</summary>
    public static void Demand()
    {
        if (Missing is { } reason)
        {
            throw new InvalidOperationException(reason);
        }
    }

    private static string? Examine()
    {
        if (SystemRequirements.MissingPackages([(Browser, "chromium")]) is { } packages)
        {
            return packages;
        }

        try
        {
            return HasPage(ApplianceCommand.Path)
                ? null
                : $"{ApplianceCommand.Path} was built without the web page: run `make ui` (needs Node.js) and build again";
        }
        catch (InvalidOperationException e)
        {
            return e.Message;
        }
    }

    /// <summary>Looks for the page in the command's assembly. A command without an assembly beside it is one file: it is taken at its word.</summary>
    private static bool HasPage(string command)
    {
        string assembly = command + ".dll";
        if (!File.Exists(assembly))
        {
            return true;
        }

        using var image = new PEReader(File.OpenRead(assembly));
        MetadataReader metadata = image.GetMetadataReader();
        return metadata.ManifestResources.Any(
            handle => metadata.StringComparer.Equals(metadata.GetManifestResource(handle).Name, PageResource));
    }
}
