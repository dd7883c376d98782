"""A search over hyperparameters with scikit-learn, whose parallel work is joblib's."""

from joblib import parallel_config
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from scoopmpi.joblib import register

if __name__ == "__main__":
    register()
    pixels, digits = load_digits(return_X_y=True)
    grid = {"C": [0.1, 1, 10], "gamma": [0.0005, 0.001, 0.002]}
    with parallel_config(backend="scoopmpi"):  # on the farm
        search = GridSearchCV(SVC(), grid, cv=3, n_jobs=-1).fit(pixels[:600], digits[:600])
    print(f"{search.best_params_}: {search.best_score_:.6f}")
