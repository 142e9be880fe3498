namespace EgressAppliance.Tests.Configuration;

/// <summary>Compares with a file of the repository; with <c>UPDATE_GOLDEN=1</c> the file is rewritten instead.</summary>
internal static class Golden
{
    public static void Compare(string path, string actual)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(path, actual);
        }

        Assert.True(File.Exists(path), $"{path} is missing; run with UPDATE_GOLDEN=1");
        Assert.Equal(File.ReadAllText(path), actual);
    }
}
